import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Selection } from "../src/analytics/analytics-reader.ts";
import { systemClock } from "../src/kernel/clock.ts";
import { createClickHouseSession } from "../src/store/clickhouse/clickhouse-session.ts";
import { startEmbeddedClickHouse } from "../src/store/clickhouse/embedded/start-embedded-clickhouse.ts";
import { singleNode } from "../src/store/clickhouse/migrations/clickhouse-migration.ts";
import { createAnalyticsReader } from "../src/store/clickhouse/questions/create-analytics-reader.ts";
import { asked, lastSession } from "./questions/asked.ts";
import { fillStore } from "./questions/fill-store.ts";
import { percentile } from "./statistics.ts";

// Fills an embedded store with synthetic exchanges of thirty days, asks it everything that a dashboard asks, and ends with 1
// naming each question whose 95th percentile is above the bar. A whole run is written to results/questions.json.

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "10000000" },
    rounds: { type: "string", default: "5" },
    seed: { type: "string", default: "1" },
    directory: { type: "string" },
    only: { type: "string" },
  },
});
const rows = Number(values.rows);
const rounds = Number(values.rounds);
const barMs = 300;
const wholeRows = 10_000_000;
const dayMs = 86_400_000;
/** The whole hour before now: the store takes rows away that are too old. */
const toMs = Math.floor(Date.now() / 3_600_000) * 3_600_000;

await using opened = new AsyncDisposableStack();
const directory = values.directory ?? (await mkdtemp(join(tmpdir(), "gatehouse-questions-")));
if (values.directory === undefined) opened.defer(() => rm(directory, { recursive: true, force: true }));
const log = { debug() {}, info() {}, warn: console.warn, error: console.error };
const embedded = opened.use(startEmbeddedClickHouse({ directory, memoryBytes: 2 ** 31, clock: systemClock, log }));
const session = opened.use(createClickHouseSession({ find: embedded.find, dialect: singleNode }));

const began = performance.now();
if (values.directory === undefined) {
  await fillStore(session, { seed: Number(values.seed), rows, fromMs: toMs - 30 * dayMs, toMs }, (filled) => {
    if (filled % 1_000_000 === 0) console.log(`${filled} exchanges after ${seconds(began)} s`);
  });
}

const reader = createAnalyticsReader(session);
// Ends in the middle of an hour, as most that is asked does.
const until = toMs - 754_321;
const selections: readonly Selection[] = [
  ...[1, 7, 29].map((days) => ({ fromMs: until - days * dayMs, toMs: until })),
  ...[1, 7, 29].map((days) => ({ fromMs: until - days * dayMs, toMs: until, api: "mcp_12" })),
  { fromMs: until - 7 * dayMs, toMs: until, environment: "production", api: "llm_0" },
  { fromMs: until - 29 * dayMs, toMs: until, teamIds: ["team_1", "team_3"] },
];
const all = [...asked, await lastSession(reader, { fromMs: until - dayMs, toMs: until })];

const measured = [];
for (const { name, ask } of all.filter((one) => values.only === undefined || one.name.startsWith(values.only))) {
  const took: number[] = [];
  let slowest: { readonly ms: number; readonly selection: Selection } | undefined;
  for (const selection of Array.from({ length: rounds }, () => selections).flat()) {
    const from = performance.now();
    await ask(reader, selection);
    const ms = performance.now() - from;
    took.push(ms);
    if (slowest === undefined || ms > slowest.ms) slowest = { ms, selection };
  }
  const row = {
    name,
    p50: percentile(took, 0.5),
    p95: percentile(took, 0.95),
    slowest: slowest === undefined ? "" : shown(slowest.selection),
  };
  measured.push(row);
  console.log(
    `${name.padEnd(30)} p50 ${row.p50.toFixed(0).padStart(5)} ms  p95 ${row.p95.toFixed(0).padStart(5)} ms  slowest ${row.slowest}`,
  );
}

if (rows >= wholeRows && values.only === undefined) {
  const folder = join(import.meta.dirname, "results");
  await mkdir(folder, { recursive: true });
  const machine = { cpus: cpus().length, model: cpus()[0]?.model, node: process.version };
  await writeFile(
    join(folder, "questions.json"),
    `${JSON.stringify({ rows, rounds, barMs, machine, questions: measured }, null, 2)}\n`,
  );
}
const missed = measured.filter(({ p95 }) => p95 > barMs);
for (const { name, p95 } of missed)
  console.log(`missed: ${name}: at most ${barMs} ms at the 95th percentile: ${p95.toFixed(0)} ms`);
if (missed.length > 0) process.exitCode = 1;

function seconds(since: number): string {
  return ((performance.now() - since) / 1_000).toFixed(0);
}

function shown({ fromMs, toMs, ...filters }: Selection): string {
  return [`${Math.round((toMs - fromMs) / dayMs)} days`, ...Object.values(filters)].join(", ");
}
