import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { isInstalled, pinnedCommand } from "../pinned.ts";
import type { LoadOrder, LoadResult } from "./load-order.ts";

const run = promisify(execFile);
const script = join(import.meta.dirname, "load-client.ts");

/** Every exchange measured by our own client: exact percentiles, at the price of a lower ceiling. */
export async function measureLoad(order: LoadOrder): Promise<LoadResult> {
  const [command, args] = pinnedCommand("client", process.execPath, [script, JSON.stringify(order)]);
  const { stdout } = await run(command, args, { maxBuffer: 268_435_456, env: {} });
  return JSON.parse(stdout) as LoadResult; // load-client.ts prints nothing else
}

/** Requests per second by wrk, or by our own client where wrk is not installed. */
export interface Throughput {
  readonly perSecond: number;
  readonly requests: number;
  readonly errors: number;
  readonly client: "wrk" | "own";
}

/** As many requests as go through in `seconds`. */
export async function measureThroughput(order: LoadOrder & { readonly seconds: number }): Promise<Throughput> {
  if (isInstalled("wrk")) return runWrk(order);
  const { requests, errors, elapsedMs } = await measureLoad(order);
  return { perSecond: requests / (elapsedMs / 1_000), requests, errors, client: "own" };
}

async function runWrk({
  url,
  headers,
  body,
  connections,
  seconds,
}: LoadOrder & { seconds: number }): Promise<Throughput> {
  const directory = await mkdtemp(join(tmpdir(), "gatehouse-wrk-"));
  try {
    const file = join(directory, "post.lua");
    await writeFile(file, luaScript(headers, body));
    const wrkArgs = ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "10s", "-s", file, url];
    const [command, args] = pinnedCommand("client", "wrk", wrkArgs);
    const { stdout } = await run(command, args, { maxBuffer: 1_048_576 });
    const found = /^bench (\d+) (\d+) (\d+)$/m.exec(stdout);
    if (found === null) throw new Error(`wrk printed no summary:\n${stdout}`);
    const [requests, durationUs, errors] = found.slice(1).map(Number) as [number, number, number]; // three groups of digits
    return { perSecond: requests / (durationUs / 1_000_000), requests, errors, client: "wrk" };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

// JSON's strings are Lua's as long as they hold no \u escape, which these do not.
function luaScript(headers: Readonly<Record<string, string>>, body: string): string {
  const lines = Object.entries(headers).map(
    ([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`,
  );
  return `wrk.method = "POST"
wrk.body = ${JSON.stringify(body)}
${lines.join("\n")}
function done(summary)
  local e = summary.errors
  local bad = e.connect + e.read + e.write + e.status + e.timeout
  print(string.format("bench %d %d %d", summary.requests, summary.duration, bad))
end
`;
}
