import type { Config } from "../config.ts";
import { gatehouseVersion } from "../version.ts";
import { collectAtRest, ownParts } from "./collect-at-rest.ts";
import type { StartOptions } from "./common-options.ts";
import { commandConfig } from "./common-options.ts";
import type { Shell } from "./shell.ts";

/**
 * Runs the gateway and its control plane until SIGINT or SIGTERM, then drains. A second signal ends the process at
 * once. In development the quickstart is put up and its lines are printed.
 */
export async function start(options: StartOptions, shell: Shell): Promise<void> {
  const stopped = Promise.withResolvers<"SIGINT" | "SIGTERM">();
  let firstAtMs: number | undefined;
  const forget = shell.onStop((signal) => {
    const nowMs = shell.clock.monotonic();
    firstAtMs ??= nowMs;
    if (nowMs - firstAtMs > oneKeystrokeMs) shell.exit(signal === "SIGINT" ? 130 : 143);
    stopped.resolve(signal);
  });
  try {
    const { config } = commandConfig(options, shell, {
      planes: options.planes,
      controlUrl: options.controlUrl,
      "gateway.tokenFile": options.gatewayTokenFile,
    });
    const startedAtMs = shell.clock.monotonic();
    shell.out(`Gatehouse ${gatehouseVersion}, ${config.env}`);
    await using running = await startAll(config, shell);
    const seconds = ((shell.clock.monotonic() - startedAtMs) / 1_000).toFixed(1);
    shell.out(
      `Ready after ${seconds} s: gateway ${running.gatewayUrl}, control plane ${running.controlUrl}. Ctrl-C stops it.`,
    );
    const parts = ownParts(shell.clock);
    using _collecting = parts && collectAtRest(parts);
    const signal = await stopped.promise;
    shell.note(`${signal}: draining, at most ${config.limits.drainTimeoutMs} ms; once more to stop at once`);
  } finally {
    forget();
  }
  shell.note("Stopped.");
}

// `npm start` passes on the SIGINT that the terminal has sent to us too: one Ctrl-C, two signals.
const oneKeystrokeMs = 500;

interface Running extends AsyncDisposable {
  readonly gatewayUrl: string;
  readonly controlUrl: string;
}

async function startAll(config: Config, shell: Shell): Promise<Running> {
  const progress = (line: string): void => shell.out(`- ${line}`);
  if (!config.planes.includes("control")) {
    const { startGatewayPlane } = await import("../compose-gateway-plane.ts");
    const { createLog } = await import("../create-log.ts");
    return startGatewayPlane(config, { progress, log: createLog(config) });
  }
  const { startGatehouse } = await import("../main.ts");
  const running = await startGatehouse(config, { progress });
  if (config.env === "production" || !config.planes.includes("gateway")) return running;
  const { startQuickstart } = await import("../quickstart/quickstart.ts");
  const { printQuickstart } = await import("../quickstart/print-quickstart.ts");
  await using unready = new AsyncDisposableStack();
  unready.use(running);
  const quickstart = await startQuickstart({ ...running, config, progress });
  unready.move();
  const place = { cwd: shell.cwd, node: process.execPath };
  const hasAnalytics = config.analytics.mode !== "off";
  for (const line of printQuickstart(quickstart.facts, running.dataDirectory, place, { hasAnalytics })) shell.out(line);
  return {
    gatewayUrl: running.gatewayUrl,
    controlUrl: running.controlUrl,
    async [Symbol.asyncDispose]() {
      // The gateway first: its last requests still need the demonstration model.
      await using _quickstart = quickstart;
      await using _running = running;
    },
  };
}
