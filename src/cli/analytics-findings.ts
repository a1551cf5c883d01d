import { createRequire } from "node:module";
import type { AnalyticsStatus } from "../analytics/analytics-reader.ts";
import { analyticsStatusSchema } from "../analytics/analytics-reader.ts";
import { analyticsMode } from "../compose-analytics.ts";
import type { LoadedConfig } from "../config.ts";
import { findDataHolder } from "../store/data-directory.ts";
import { askRunning } from "./ask-running.ts";
import type { CommonOptions } from "./common-options.ts";
import type { Finding } from "./finding.ts";
import type { Shell } from "./shell.ts";

/**
 * What the doctor says of analytics: the configured way, and of a process that runs, how the way is. `findPackage`
 * throws for a package that is not installed.
 */
export async function analyticsFindings(
  options: CommonOptions,
  { config }: LoadedConfig,
  shell: Shell,
  findPackage: (name: string) => string = createRequire(import.meta.url).resolve,
): Promise<readonly Finding[]> {
  const mode = analyticsMode(config);
  if (mode === "off") return [{ state: "ok", what: "analytics: off; events stay in the spool" }];
  const where = mode === "server" ? `ClickHouse at ${config.clickhouse.url ?? ""}` : "embedded ClickHouse";
  if (findDataHolder(config.dataDir) === undefined) return [stoppedFinding(mode, where, findPackage)];
  const status = await askRunning("/api/v1/analytics/status", analyticsStatusSchema, options, shell);
  if (status === undefined) {
    return [{ state: "hint", what: `analytics: ${where}; the running process does not say how it is` }];
  }
  return [{ state: isWell(status) ? "ok" : "hint", what: `analytics: ${where}, ${describe(status)}` }];
}

// The engine itself is in a package of the platform's, which npm leaves out where there is none (Alpine, Windows).
const enginePackage = `@chdb/lib-${process.platform}-${process.arch}${process.platform === "linux" ? "-gnu" : ""}/package.json`;

function stoppedFinding(mode: "embedded" | "server", where: string, findPackage: (name: string) => string): Finding {
  try {
    if (mode === "embedded") for (const name of ["chdb", enginePackage]) findPackage(name);
    return { state: "ok", what: `analytics: ${where}` };
  } catch {
    const remedy = "npm install --include=optional chdb; or name a server in CLICKHOUSE_URL";
    return {
      state: "hint",
      what: `analytics: ${where} is missing its optional package chdb, events wait in the spool: ${remedy}`,
    };
  }
}

function isWell({ state, reason, dropped, rejected }: AnalyticsStatus): boolean {
  return state !== "unavailable" && state !== "waiting" && reason === null && dropped === 0 && rejected === 0;
}

function describe(status: AnalyticsStatus): string {
  const { state, version, pid, rssBytes, restarts, backlogBytes, reason } = status;
  const { spooled, written, dropped, rejected } = status;
  return [
    state,
    ...(version === null ? [] : [`version ${version}`]),
    ...(pid === null ? [] : [`process ${pid}`]),
    ...(rssBytes === null ? [] : [`${Math.round(rssBytes / 1e6)} MB`]),
    ...(status.mode === "embedded" ? [`${restarts} restarts`] : []),
    `${backlogBytes} bytes to go`,
    `${spooled} events spooled, ${written} written`,
    ...(dropped + rejected === 0 ? [] : [`${dropped} events dropped, ${rejected} rejected`]),
    ...(reason === null ? [] : [reason]),
  ].join(", ");
}
