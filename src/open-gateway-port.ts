import type { Config } from "./config.ts";
import type { Listener } from "./gateway/listen.ts";
import { listen } from "./gateway/listen.ts";
import type { Clock } from "./kernel/clock.ts";
import type { Log } from "./kernel/log.ts";

/** The gateway's port, and how clients reach it. */
export interface GatewayPort {
  readonly listener: Listener;
  readonly url: string;
}

/** Opens the port that the configuration names; `fetch` hears of every request from then on. */
export async function openGatewayPort(
  config: Config,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  fetch: Parameters<typeof listen>[0]["fetch"],
): Promise<GatewayPort> {
  const { maxConnections, headersTimeoutMs, requestTimeoutMs } = config.limits;
  const listener = await listen({
    maxConnections,
    headersTimeoutMs,
    requestTimeoutMs,
    clock,
    log,
    name: "gateway",
    host: config.host,
    port: config.port,
    portSetting: "--port or GATEHOUSE_PORT",
    tls: config.tls,
    fetch,
    raw: true,
  });
  return { listener, url: config.publicUrl ?? urlOf(config.tls ? "https" : "http", config.host, listener.port) };
}

/** Hosts by which a port of this machine is always reached. */
export const loopbackHosts = ["localhost", "127.0.0.1", "[::1]"];

/** The URL of a port that is listened on at `host`. */
export function urlOf(scheme: string, host: string, port: number): string {
  const shown = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  return `${scheme}://${shown.includes(":") ? `[${shown}]` : shown}:${port}`;
}
