import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { LoadOrder } from "./clients/load-order.ts";
import { measureLoad } from "./clients/run-load.ts";
import { startGatehouseLane } from "./lanes/gatehouse.ts";
import { startMock } from "./mock.ts";
import { processUse } from "./process-use.ts";

// Runs many requests through a gateway process in production mode that records events, and looks at its memory under load
// and at rest: at rest, after the first part, it must be below a bound, and after three times as many it must not have
// grown. Ends with 1 naming the bar missed.

const { values } = parseArgs({
  options: { requests: { type: "string", default: "100000" }, "pause-ms": { type: "string", default: "75000" } },
});
const firstRequests = Number(values.requests);
const pauseMs = Number(values["pause-ms"]);
const mostMegabytes = 150;
const mostGrowth = 0.05;

await using mock = await startMock();
await using lane = await startGatehouseLane(mock.url, { protocol: "llm", governed: true, events: true, apart: true });
const { pid = 0 } = lane;
const headers = { "content-type": "application/json", ...lane.headers };

report("after the start", 0);
await send(firstRequests);
const first = await settled(firstRequests);
await send(2 * firstRequests);
const last = await settled(3 * firstRequests);

const growth = last / first - 1;
const missed = [
  ...(first <= mostMegabytes
    ? []
    : [`at most ${mostMegabytes} MB after ${firstRequests} requests: ${first.toFixed(0)} MB`]),
  ...(growth < mostGrowth
    ? []
    : [`less than ${mostGrowth * 100} % more after ${3 * firstRequests}: ${(growth * 100).toFixed(1)} %`]),
];
console.log(`growth ${(growth * 100).toFixed(1)} %`);
for (const bar of missed) console.log(`missed: ${bar}`);
if (missed.length > 0) process.exitCode = 1;

/** Of ten requests eight are whole, one is a stream, one fails at the upstream; some are refused beside them. */
async function send(requests: number): Promise<void> {
  const part = (share: number): number => Math.round(requests * share);
  const slices = 10;
  for (let slice = 0; slice < slices; slice += 1) {
    await Promise.all([
      load({ requests: part(0.78 / slices), connections: 24, body: request({}) }, 0),
      load({ requests: part(0.1 / slices), connections: 64, body: request({ stream: true }) }, 0),
      load({ requests: part(0.1 / slices), connections: 4, body: request({ user: "bench-error" }) }, 1),
      load({ requests: part(0.01 / slices), connections: 2, body: "{not json" }, 1),
      load({ requests: part(0.01 / slices), connections: 2, body: request({}), headers: { apikey: "gh_nobody" } }, 1),
    ]);
  }
}

async function load(order: Omit<LoadOrder, "url" | "headers"> & Partial<LoadOrder>, failing: 0 | 1): Promise<void> {
  const { requests, errors } = await measureLoad({ url: lane.url, headers, ...order });
  if (requests === 0 || errors !== failing * requests) {
    throw new Error(`${errors} of ${requests} requests were not answered with 200; expected ${failing * requests}`);
  }
}

function request(fields: object): string {
  const messages = [{ role: "user", content: "Which ships are expected before the evening tide?" }];
  return JSON.stringify({ model: "bench-1", messages, ...fields });
}

// Garbage is resident too until a gateway at rest collects it, after a minute: what is left is what it keeps.
async function settled(requests: number): Promise<number> {
  report(`after ${requests} requests`, requests);
  await delay(pauseMs);
  return report(`${pauseMs / 1_000} s later`, requests);
}

function report(when: string, requests: number): number {
  const use = processUse(pid);
  if (use === undefined) throw new Error("this system does not tell what is resident");
  const children = use.megabytes - use.ownMegabytes;
  const beside = children > 0 ? `, and ${children.toFixed(0)} MB of its children` : "";
  console.log(
    `${String(requests).padStart(7)} requests  ${use.ownMegabytes.toFixed(1).padStart(6)} MB  ${when}${beside}`,
  );
  return use.ownMegabytes;
}
