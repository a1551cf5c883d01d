import type { z } from "zod";
import type { LoadedConfig } from "../config.ts";
import { upstreamsSchema } from "../control/status-routes.ts";
import { findDataHolder } from "../store/data-directory.ts";
import { askRunning } from "./ask-running.ts";
import type { CommonOptions } from "./common-options.ts";
import type { Finding } from "./finding.ts";
import type { Shell } from "./shell.ts";

/** What the doctor says of the upstreams of a process that runs: one line for each that is not well. */
export async function upstreamFindings(
  options: CommonOptions,
  { config }: LoadedConfig,
  shell: Shell,
): Promise<readonly Finding[]> {
  if (findDataHolder(config.dataDir) === undefined) return [];
  const told = await askRunning("/api/v1/upstreams", upstreamsSchema, options, shell);
  if (told === undefined) return [{ state: "hint", what: "upstreams: the running process does not say how they are" }];
  const ill = told.items.filter((upstream) => !isWell(upstream));
  if (ill.length > 0) return ill.map((upstream) => ({ state: "hint", what: describe(upstream) }));
  return [{ state: "ok", what: `upstreams: ${told.items.length}, all well as far as is known` }];
}

type Upstream = z.output<typeof upstreamsSchema>["items"][number];

function isWell({ state, failures, lastProbe }: Upstream): boolean {
  return state === "closed" && failures === 0 && (lastProbe === null || lastProbe.failure === null);
}

function describe(upstream: Upstream): string {
  const { apiKind, apiName, environment, target, state, failures, since, lastFailure, lastProbe, lastSuccessAt } =
    upstream;
  const parts = [
    state === "closed" ? `${failures} failures in a row` : `breaker ${state}${since === null ? "" : ` since ${since}`}`,
    ...(lastFailure === null ? [] : [`last failure ${lastFailure.code} at ${lastFailure.at}`]),
    ...(lastProbe === null || lastProbe.failure === null ? [] : [`last probe ${lastProbe.failure}`]),
    lastSuccessAt === null ? "never seen well" : `last well at ${lastSuccessAt}`,
  ];
  return `upstream ${target} of ${apiKind}/${apiName} (${environment}): ${parts.join(", ")}`;
}
