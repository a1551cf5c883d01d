import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { RouteTest } from "../core/route-test.ts";
import { GatewayError } from "../kernel/errors.ts";
import { parseJson } from "../kernel/parse-json.ts";
import type { ControlOptions } from "./common-options.ts";
import { openControlClient } from "./control-client.ts";
import type { Shell } from "./shell.ts";

export interface RouteTestOptions extends ControlOptions {
  readonly message?: string;
  readonly model: string;
  /** A file that holds the whole request. */
  readonly request?: string;
  readonly endpoint: string;
  readonly environment: string;
  readonly header?: readonly string[];
  readonly json?: boolean;
}

/** Prints where a request would go, and why; it is sent nowhere. */
export async function testRoute(api: string, options: RouteTestOptions, shell: Shell): Promise<void> {
  const { endpoint, environment, header = [], json } = options;
  const request = await requestOf(options, shell);
  const headers = Object.fromEntries(header.map(readHeader));
  await using control = await openControlClient(options, shell);
  const path = `/api/v1/llm-apis/${encodeURIComponent(api)}/route:test`;
  const found = (await control.call("POST", path, { endpoint, environment, headers, request })) as RouteTest; // as the route promises
  if (json === true) {
    shell.out(JSON.stringify(found, undefined, 2));
    return;
  }
  const { targets, refusal, strategy, route, reason, scores, gates, tookMs } = found;
  shell.out(refusal === null ? `would go to ${targets.join(", ")}` : `would be refused: ${refusal.message}`);
  if (strategy !== null) {
    const took = tookMs === null ? "" : ` in ${tookMs.toFixed(3)} ms`;
    shell.out(`strategy ${strategy}, route ${route ?? "default"}, ${reason ?? "no reason"}${took}`);
  }
  for (const each of scores) shell.out(`  ${each.score.toFixed(4)}  ${each.route}`);
  for (const { target, gate } of gates) shell.out(`left out: ${target} (${gate})`);
}

async function requestOf({ request, message, model, endpoint }: RouteTestOptions, shell: Shell): Promise<unknown> {
  if (request === undefined) {
    if (message === undefined) throw new GatewayError("request.invalid", "Give --message or --request.");
    if (endpoint === "embeddings" || endpoint === "responses") return { model, input: message };
    return { model, max_tokens: 1, messages: [{ role: "user", content: message }] };
  }
  try {
    return parseJson(await readFile(resolve(shell.cwd, request), "utf8"));
  } catch (cause) {
    throw new GatewayError("request.invalid", `${request} holds no JSON.`, { cause });
  }
}

function readHeader(line: string): readonly [string, string] {
  const colon = line.indexOf(":");
  if (colon < 1) throw new GatewayError("request.invalid", `--header takes a line such as 'x-tier: gold'.`);
  return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
}
