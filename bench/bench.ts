import { mkdir, writeFile } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { judge } from "./bars.ts";
import type { BenchOptions } from "./bench-options.ts";
import { benchOptions } from "./bench-options.ts";
import { calibrate } from "./calibration.ts";
import type { Figures } from "./figures.ts";
import { installPeers } from "./install-peers.ts";
import { measureKeyCheck } from "./key-check.ts";
import { markdownReport } from "./markdown-report.ts";
import type { Rounds } from "./measure-lanes.ts";
import { emptyRounds, measureRound, warmUp } from "./measure-lanes.ts";
import { startMock } from "./mock.ts";
import { isPinned } from "./pinned.ts";
import { summarise } from "./summarise.ts";

// Starts every lane in front of the same mock, measures them in turn, writes results/latest.{json,md}, and ends with 1
// when a bar was missed, naming it.

const options = benchOptions(process.argv.slice(2));
const tell = (line: string): void => console.log(line);
installPeers(tell);
const figures = await measure(options);
const verdicts = judge(figures);
const page = markdownReport(figures, verdicts);
await writeResults(figures, page);
console.log(`\n${page}`);

const missed = verdicts.filter(({ result }) => result === "missed");
// A bar that nobody could judge is not met; with lanes left out on purpose it is nobody's fault.
const unjudged = options.complete && !options.quick ? verdicts.filter(({ result }) => result === "not judged") : [];
for (const { bar, result, detail } of [...missed, ...unjudged]) console.log(`${result}: ${bar}: ${detail}`);
if (missed.length + unjudged.length > 0) process.exitCode = 1;

async function measure(chosen: BenchOptions): Promise<Figures> {
  await using opened = new AsyncDisposableStack();
  const [loadAverage = 0] = loadavg();
  const mock = opened.use(await startMock());
  const skipped: { id: string; reason: string }[] = [];
  const all: Rounds[] = [];
  for (const lane of chosen.lanes) {
    const reason = lane.unavailable?.();
    if (reason === undefined) all.push(emptyRounds(lane, opened.use(await lane.start(mock.url))));
    else skipped.push({ id: lane.id, reason });
  }
  const calibration = calibrate();
  tell(`Warming up ${all.length} lanes`);
  for (const rounds of all) await warmUp(rounds, chosen);
  for (let round = 1; round <= chosen.alternations; round += 1) {
    tell(`Round ${round} of ${chosen.alternations}`);
    const first = round % all.length; // nobody always comes after the same one
    await measureRound([...all.slice(first), ...all.slice(0, first)], chosen, tell);
  }
  const [cpu] = cpus();
  return {
    at: new Date().toISOString(),
    quick: chosen.quick,
    machine: `${cpus().length} x ${cpu?.model.trim() ?? "unknown processor"}`,
    node: process.versions.node,
    pinned: isPinned,
    loadAverage,
    client: all[0]?.client ?? "own",
    alternations: chosen.alternations,
    calibration,
    keyCheck: chosen.complete ? await measureKeyCheck() : undefined,
    lanes: summarise(all),
    notes: all.flatMap(({ lane: { id, note } }) => (note === undefined ? [] : [{ id, note }])),
    skipped,
  };
}

// A quick look or a part of the lanes must not take the place of a whole run.
async function writeResults(result: Figures, text: string): Promise<void> {
  const isWhole = options.complete && !options.quick;
  const directory = isWhole ? join(import.meta.dirname, "results") : join(tmpdir(), "gatehouse-bench");
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, "latest.json"), `${JSON.stringify(result, undefined, 2)}\n`);
  await writeFile(join(directory, "latest.md"), text);
  tell(`Written to ${directory}`);
}
