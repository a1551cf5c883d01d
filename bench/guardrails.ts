import { mkdir, writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { measureLoad, measureThroughput } from "./clients/run-load.ts";
import { startGatehouseLane } from "./lanes/gatehouse.ts";
import type { RunningLane } from "./lanes/lane.ts";
import { startMock } from "./mock.ts";
import { processUse } from "./process-use.ts";
import { asksForLong, pieceCount, pieceEveryMs } from "./servers/mock-answers.ts";
import { median } from "./statistics.ts";

// What guardrails cost, in the scenario that WSO2 publishes for its AI gateway: a request of 1 KiB, an answer of 10 KiB, a
// backend of 10 ms, API keys; without guardrails, with personal data masked both ways, and with that, addresses of pages
// and a JSON schema. Ends with 1 when a bar was missed, naming it.

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false }, rounds: { type: "string" }, seconds: { type: "string" } },
});
const rounds = Number(values.rounds ?? (values.quick ? 2 : 5));
const seconds = Number(values.seconds ?? (values.quick ? 1 : 5));
/** Enough to keep a core busy with a backend of 10 ms. */
const connections = 128;

const pii = { use: "pii" };
const url = { use: "url", with: { deny: ["*.onion"], phases: ["request", "response"] } };
const schema = { type: "object", required: ["harbour", "ships"], properties: { ships: { type: "array" } } };
const jsonSchema = { use: "json-schema", with: { schema, phases: ["response"] } };

/** `published` is what WSO2 publishes for two cores, in requests a second. */
const lanes = [
  { id: "none", title: "API key, no guardrail", policies: [], least: 1, published: 3_760 },
  { id: "pii", title: "and personal data, both ways", policies: [pii], least: 0.65, published: 2_006 },
  { id: "triple", title: "and URLs and a JSON schema", policies: [pii, url, jsonSchema], least: 0.5, published: 1_684 },
] as const;

interface Measured {
  readonly running: RunningLane;
  readonly perSecond: number[];
  readonly processorUs: number[];
  /** Milliseconds to the first byte of streams, by what was asked. */
  readonly firstByteMs: number[];
  errors: number;
}

await using opened = new AsyncDisposableStack();
const [loadAverage = 0] = loadavg();
const mock = opened.use(await startMock());
const all = new Map<string, Measured>();
for (const { id, policies } of lanes) {
  const running = await startGatehouseLane(mock.url, { protocol: "llm", governed: true, events: false, policies });
  all.set(id, { running: opened.use(running), perSecond: [], processorUs: [], firstByteMs: [], errors: 0 });
}
const body = JSON.stringify({
  model: asksForLong,
  messages: [
    { role: "system", content: "You are the keeper of a lighthouse and answer in JSON." },
    {
      role: "user",
      content: `${"Which ships are expected before the evening tide, and what do they carry? ".repeat(11)}Write to ada@example.com.`,
    },
  ],
});
for (const { running } of all.values()) await measureLoad({ ...order(running), seconds: values.quick ? 1 : 6 });
for (let round = 1; round <= rounds; round += 1) {
  for (const [id, lane] of all) {
    const before = processUse(lane.running.pid ?? 0);
    const { perSecond, requests, errors } = await measureThroughput({ ...order(lane.running), seconds });
    const after = processUse(lane.running.pid ?? 0);
    lane.perSecond.push(perSecond);
    lane.errors += errors;
    if (before && after) lane.processorUs.push(((after.processorSeconds - before.processorSeconds) * 1e6) / requests);
    console.log(`round ${round} ${id.padEnd(8)} ${Math.round(perSecond).toString().padStart(7)} requests/s`);
  }
}

for (const { running, firstByteMs } of all.values()) {
  for (const streamBody of [streamOf(""), streamOf(" Write to ada@example.com.")]) {
    const alone = { ...order(running), body: streamBody, connections: 1, warmUps: 2, requests: values.quick ? 10 : 40 };
    const { firstByteUs } = await measureLoad(alone);
    firstByteMs.push(median(firstByteUs) / 1_000);
  }
}

const base = median(all.get("none")?.perSecond ?? []);
const results = lanes.map(({ id, title, least, published }) => {
  const { perSecond = [], processorUs = [], firstByteMs = [], errors = 0 } = all.get(id) ?? {};
  const rate = median(perSecond);
  const share = rate / base;
  return { id, title, rate, share, processorUs: median(processorUs), firstByteMs, errors, least, published };
});
const page = report();
console.log(`\n${page}`);
if (!values.quick) {
  const folder = join(import.meta.dirname, "results");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "guardrails.md"), page);
}
const missed = results.flatMap(({ id, share, least, rate, published, errors }) => [
  ...(share >= least ? [] : [`${id}: at least ${least} of the lane without: ${share.toFixed(2)}`]),
  ...(rate > published ? [] : [`${id}: more than ${published} requests/s on one core: ${Math.round(rate)}`]),
  ...(errors === 0 ? [] : [`${id}: no error: ${errors}`]),
]);
for (const bar of missed) console.log(`missed: ${bar}`);
if (missed.length > 0) process.exitCode = 1;

function streamOf(more: string): string {
  const content = `Which ships are expected before the evening tide?${more}`;
  return JSON.stringify({ model: "bench-1", stream: true, messages: [{ role: "user", content }] });
}

function order({ url: target, headers }: RunningLane) {
  return { url: target, headers: { "content-type": "application/json", ...headers }, body, connections, warmUps: 0 };
}

function report(): string {
  const [cpu] = cpus();
  const rows = results.map(
    ({ title, rate, share, processorUs, published, least }) =>
      `| ${title} | ${Math.round(rate)} | ${share.toFixed(2)} (${least}) | ${Math.round(processorUs)} | ${published} |`,
  );
  const [plain] = results;
  const streams = results.map(({ title, firstByteMs }) => {
    const cells = firstByteMs.map((ms, at) => `${ms.toFixed(2)} (${(ms - (plain?.firstByteMs[at] ?? ms)).toFixed(2)})`);
    return `| ${title} | ${cells.join(" | ")} |`;
  });
  const busy =
    loadAverage > 0.5
      ? `\nTHE MACHINE WAS BUSY (load average ${loadAverage.toFixed(1)}): these figures are noise.\n`
      : "";
  return `# Guardrails, ${new Date().toISOString()}

${cpus().length} x ${cpu?.model.trim() ?? "unknown processor"}; Node ${process.versions.node}; the gateway on one core, client and mock on another.
A request of 1 KiB, an answer of 10 KiB, a backend of 10 ms, ${connections} connections, API key; medians of ${rounds} rounds.
${busy}
| lane | requests/s on one core | of the lane without (bar) | processor µs a request | WSO2 publishes for two cores |
| --- | --: | --: | --: | --: |
${rows.join("\n")}

Streams, one after another: ${pieceCount - 2} words, one every ${pieceEveryMs} ms. What holds text back waits for characters, so the time that it adds is the
model's: a stream as short as this one comes at its end where placeholders are restored. Rows have it as \`guard_hold_ms\`.

| lane | first byte, p50 ms (added) | with an address in the request |
| --- | --: | --: |
${streams.join("\n")}
`;
}
