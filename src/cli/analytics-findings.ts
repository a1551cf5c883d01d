import type { AnalyticsStatus } from "../analytics/analytics-reader.ts";
import { analyticsStatusSchema } from "../analytics/analytics-reader.ts";
import { analyticsMode } from "../compose-analytics.ts";
import type { LoadedConfig } from "../config.ts";
import { findDataHolder } from "../store/data-directory.ts";
import type { CommonOptions } from "./common-options.ts";
import { openControlClient } from "./control-client.ts";
import type { Finding } from "./finding.ts";
import type { Shell } from "./shell.ts";

/** What the doctor says of analytics: the configured way, and of a process that runs, how the way is. */
export async function analyticsFindings(
  options: CommonOptions,
  { config }: LoadedConfig,
  shell: Shell,
): Promise<readonly Finding[]> {
  const mode = analyticsMode(config);
  if (mode === "off") return [{ state: "ok", what: "analytics: off; events stay in the spool" }];
  const where = mode === "server" ? `ClickHouse at ${config.clickhouse.url ?? ""}` : "embedded ClickHouse";
  if (findDataHolder(config.dataDir) === undefined) return [{ state: "ok", what: `analytics: ${where}` }];
  try {
    await using control = await openControlClient(options, shell);
    const status = analyticsStatusSchema.parse(await control.call("GET", "/api/v1/analytics/status"));
    return [{ state: isWell(status) ? "ok" : "hint", what: `analytics: ${where}, ${describe(status)}` }];
  } catch {
    return [{ state: "hint", what: `analytics: ${where}; the running process does not say how it is` }];
  }
}

function isWell({ state, reason, dropped, rejected }: AnalyticsStatus): boolean {
  return state !== "unavailable" && state !== "waiting" && reason === null && dropped === 0 && rejected === 0;
}

function describe(status: AnalyticsStatus): string {
  const { state, version, pid, rssBytes, restarts, backlogBytes, dropped, rejected, reason } = status;
  return [
    state,
    ...(version === null ? [] : [`version ${version}`]),
    ...(pid === null ? [] : [`process ${pid}`]),
    ...(rssBytes === null ? [] : [`${Math.round(rssBytes / 1e6)} MB`]),
    ...(status.mode === "embedded" ? [`${restarts} restarts`] : []),
    `${backlogBytes} bytes to go`,
    ...(dropped + rejected === 0 ? [] : [`${dropped} events dropped, ${rejected} rejected`]),
    ...(reason === null ? [] : [reason]),
  ].join(", ");
}
