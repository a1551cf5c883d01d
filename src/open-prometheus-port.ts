import { createHash } from "node:crypto";
import type { MetricSet } from "./analytics/metrics/metric-set.ts";
import { prometheusMediaType, prometheusText } from "./analytics/metrics/prometheus-text.ts";
import type { Config } from "./config.ts";
import { listen } from "./gateway/listen.ts";
import type { AllowedHosts } from "./kernel/allowed-hosts.ts";
import { createAllowedHosts } from "./kernel/allowed-hosts.ts";
import type { Clock } from "./kernel/clock.ts";
import { equalInConstantTime } from "./kernel/crypto.ts";
import type { Log } from "./kernel/log.ts";
import { loopbackHosts, urlOf } from "./open-gateway-port.ts";

/** The port that Prometheus asks. Disposing closes it. */
export interface PrometheusPort extends AsyncDisposable {
  readonly url: string;
}

/**
 * A port of its own, so that a gateway without a control plane has it too and the gateway's port shows nothing to callers:
 * `GET /metrics`, with the token where one is configured. Throws `config.invalid` when the port is taken.
 */
export async function openPrometheusPort(
  config: Config,
  metrics: MetricSet,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<PrometheusPort> {
  const { host, port = 0, token } = config.telemetry.prometheus;
  const { headersTimeoutMs, requestTimeoutMs } = config.limits;
  const hosts = createAllowedHosts([...loopbackHosts, ...config.allowedHosts], urlOf("http", host, port));
  const listener = await listen({
    name: "prometheus",
    host,
    port,
    portSetting: "GATEHOUSE_TELEMETRY_PROMETHEUS_PORT",
    maxConnections: 100,
    headersTimeoutMs,
    requestTimeoutMs,
    clock,
    log,
    // Without a token, a page of others must not read it under a name of its own (DNS rebinding).
    fetch: (request) =>
      token === undefined && !isOurs(request, hosts)
        ? new Response("forbidden\n", { status: 403 })
        : answer(request, metrics, token),
  });
  const url = `${urlOf("http", host, listener.port)}/metrics`;
  log.info({ url }, "Prometheus may ask");
  return { url, [Symbol.asyncDispose]: () => listener.drain(0) };
}

function isOurs({ headers }: Request, hosts: AllowedHosts): boolean {
  try {
    hosts.check([headers.get("host") ?? ""], headers.get("origin") ?? undefined);
    return true;
  } catch {
    return false;
  }
}

function answer(request: Request, metrics: MetricSet, token: string | undefined): Response {
  if (token !== undefined && !isShown(request.headers.get("authorization"), token))
    return new Response("unauthorized\n", { status: 401, headers: { "www-authenticate": "Bearer" } });
  if (new URL(request.url).pathname !== "/metrics") return new Response("not found\n", { status: 404 });
  if (request.method !== "GET" && request.method !== "HEAD")
    return new Response("method not allowed\n", { status: 405, headers: { allow: "GET, HEAD" } });
  const headers = { "content-type": prometheusMediaType, "cache-control": "no-store" };
  return new Response(request.method === "HEAD" ? null : prometheusText(metrics), { headers });
}

function isShown(authorization: string | null, token: string): boolean {
  const shown = /^bearer +(.+)$/i.exec(authorization ?? "")?.[1] ?? "";
  return equalInConstantTime(hashOf(shown), hashOf(token)); // of equal length, whatever was shown
}

function hashOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
