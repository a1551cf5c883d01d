import { spawn } from "node:child_process";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { LoadOrder } from "./clients/load-order.ts";
import { measureLoad } from "./clients/run-load.ts";
import { startGatehouseLane } from "./lanes/gatehouse.ts";
import { startMock } from "./mock.ts";
import { unpin } from "./pinned.ts";
import { largeDescription } from "./rules/large-description.ts";
import { percentile } from "./statistics.ts";

// What clients notice of governance at work: the 99th percentile of a gateway's answers at 30 % of its peak, at rest, beside
// a busy loop of the low priority that the rulesets' process has, and while resources are held against a policy that has
// changed. One process with both planes and its children on two cores, client and mock on one of them. In turn, round after
// round. Ends with 1 naming the bar missed.

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    artifacts: { type: "string" },
    rounds: { type: "string" },
    seconds: { type: "string" },
  },
});
const artifacts = Number(values.artifacts ?? (values.quick ? 200 : 1_000));
const rounds = Number(values.rounds ?? (values.quick ? 2 : 4));
/** No round is begun that would not end within this time. */
const mostMs = 580_000;
const connections = 32;
const share = 0.3;
const most = 1.25;
const lowPriority = "10";

const [loadAverage = 0] = loadavg();
await using opened = new AsyncDisposableStack();
const mock = opened.use(await startMock());
const lane = opened.use(await startGatehouseLane(mock.url, { protocol: "llm", governed: true, events: false }));
unpin(lane.pid ?? 0);
const messages = [{ role: "user", content: "Which ships are expected before the evening tide?" }];
const order: LoadOrder = {
  url: lane.url,
  headers: { "content-type": "application/json", ...lane.headers },
  body: JSON.stringify({ model: "bench-1", messages }),
  connections,
};

console.log(`${artifacts} REST APIs are put up and looked at for the first time`);
await putUp();
const firstSeconds = await untilLookedAt();
await measureLoad({ ...order, seconds: values.quick ? 1 : 6 }); // what runs often is compiled
/** Within the time that all take without load, so that work is left when a measurement ends. */
const seconds = Number(values.seconds ?? Math.min(values.quick ? 2 : 12, firstSeconds * 0.9));
const peak = await peakOf();
console.log(`peak ${Math.round(peak)} requests/s; ${Math.round(peak * share)} are sent`);

const measured = { rest: [] as number[], busy: [] as number[], governance: [] as number[] };
let errors = 0;
/** Resources that still waited when the measurement ended. */
const left: number[] = [];
const wholeSeconds: number[] = [];
let longestMs = 0;
for (let round = 1; round <= rounds && performance.now() + longestMs < mostMs; round += 1) {
  const begunMs = performance.now();
  measured.rest.push(...(await load()));
  measured.busy.push(...(await besideBusyLoop(load)));
  const startedMs = performance.now();
  await changePolicy(round);
  measured.governance.push(...(await load()));
  left.push(await pending());
  await untilLookedAt();
  wholeSeconds.push((performance.now() - startedMs) / 1_000);
  longestMs = Math.max(longestMs, performance.now() - begunMs);
  console.log(`round ${round}, ${(longestMs / 1_000).toFixed(0)} s at most: ${lines().join("; ")}`);
}

const ratio = percentile(measured.governance, 0.99) / percentile(measured.rest, 0.99);
const page = report();
console.log(`\n${page}`);
const results = values.quick ? await mkdtemp(join(tmpdir(), "gatehouse-bench-")) : join(import.meta.dirname, "results");
await mkdir(results, { recursive: true });
await writeFile(join(results, "governance.md"), page);
console.log(`written to ${join(results, "governance.md")}`);
const missed = [
  ...(ratio <= most ? [] : [`at most ${most} times the 99th percentile at rest: ${ratio.toFixed(2)}`]),
  ...(left.every((each) => each > 0)
    ? []
    : ["resources wait until each measurement has ended: some rounds had none left"]),
  ...(left.length >= Math.min(rounds, 2) ? [] : ["two rounds within the time: the machine is too slow or too busy"]),
  ...(errors === 0 ? [] : [`no error: ${errors}`]),
];
for (const bar of missed) console.log(`missed: ${bar}`);
if (missed.length > 0) process.exitCode = 1;

async function load(): Promise<readonly number[]> {
  const found = await measureLoad({ ...order, seconds, perSecond: peak * share, warmUps: 50 });
  errors += found.errors;
  return found.wholeUs;
}

async function peakOf(): Promise<number> {
  const { requests, elapsedMs } = await measureLoad({ ...order, seconds: values.quick ? 1 : 5 });
  return requests / (elapsedMs / 1_000);
}

async function besideBusyLoop<Value>(work: () => Promise<Value>): Promise<Value> {
  const loop = spawn("nice", ["-n", lowPriority, process.execPath, "-e", "for (;;) {}"], { stdio: "ignore" });
  try {
    return await work();
  } finally {
    loop.kill("SIGKILL");
  }
}

async function putUp(): Promise<void> {
  const upstream = { production: { url: "https://harbour.example.com" }, sandbox: { sameAs: "production" } };
  const documents = Array.from({ length: artifacts }, (_, at) => ({
    apiVersion: "gatehouse/v1",
    kind: "RestApi",
    metadata: { name: `harbour-${at}` },
    spec: { context: `/harbour-${at}`, definition: JSON.parse(largeDescription(10, at + 1)) as object, upstream },
  }));
  for (let at = 0; at < artifacts; at += 50) await apply(documents.slice(at, at + 50), true);
  await changePolicy(0);
}

/** All resources have to be looked at again: what was found with a ruleset is kept as long as that stays as it is. */
async function changePolicy(round: number): Promise<void> {
  const rules = { "operation-tags": round % 2 === 0 ? "warn" : "hint" };
  const ruleset = { extends: ["spectral:oas", "gatehouse:rest"], rules };
  const named = (kind: string, spec: object) => ({
    apiVersion: "gatehouse/v1",
    kind,
    metadata: { name: "bench" },
    spec,
  });
  await apply([
    named("Ruleset", { type: "definition", artifacts: ["RestApi"], ruleset }),
    named("GovernancePolicy", { rulesets: ["bench"], targets: ["global"] }),
  ]);
}

async function apply(documents: readonly object[], isDraft = false): Promise<void> {
  const sent = documents.map((value, at) => ({ source: "bench", line: at + 1, value }));
  await lane.control("POST", "/apply", { documents: sent, ...(isDraft && { draft: true }) });
}

async function pending(): Promise<number> {
  const found = (await lane.control("GET", "/governance/artifact-compliance/summary")) as { readonly pending: number }; // the control API's own promise
  return found.pending;
}

async function untilLookedAt(): Promise<number> {
  const startedMs = performance.now();
  while ((await pending()) > 0) await delay(250);
  return (performance.now() - startedMs) / 1_000;
}

function lines(): readonly string[] {
  return Object.entries(measured).map(([name, us]) => `${name} p99 ${(percentile(us, 0.99) / 1_000).toFixed(2)} ms`);
}

function report(): string {
  const [cpu] = cpus();
  const titles = { rest: "at rest", busy: "beside a busy loop of low priority", governance: "beside governance" };
  const base = percentile(measured.rest, 0.99);
  const rows = (["rest", "busy", "governance"] as const).map((name) => {
    const us = measured[name];
    const own = percentile(us, 0.99);
    const [p50Ms, p99Ms] = [percentile(us, 0.5) / 1_000, own / 1_000];
    return `| ${titles[name]} | ${p50Ms.toFixed(2)} | ${p99Ms.toFixed(2)} | ${(own / base).toFixed(2)} | ${us.length} |`;
  });
  const busy =
    loadAverage > 0.5
      ? `\nTHE MACHINE WAS BUSY (load average ${loadAverage.toFixed(1)}): these figures are noise.\n`
      : "";
  return `# A gateway while resources are held against rules, ${new Date().toISOString()}

${cpus().length} x ${cpu?.model.trim() ?? "unknown processor"}; Node ${process.versions.node}. ${artifacts} REST APIs of 10 operations against two rulesets;
looked at for the first time in ${firstSeconds.toFixed(0)} s, and again beside the load in ${wholeSeconds.map((each) => each.toFixed(0)).join(", ")} s.
${Math.round(peak * share)} requests/s, ${share * 100} % of the peak, with ${connections} connections; ${left.length} of ${rounds} rounds of ${seconds.toFixed(0)} s. The bar: ${most} times.
${busy}
| | p50, ms | p99, ms | of that at rest | exchanges |
| --- | --: | --: | --: | --: |
${rows.join("\n")}
`;
}
