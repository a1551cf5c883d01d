import { parseArgs } from "node:util";
import { systemClock } from "../src/kernel/clock.ts";
import { processUse } from "./process-use.ts";
import { median } from "./statistics.ts";
import { faultSchedule, runFaults } from "./writer/fault-schedule.ts";
import { fullDisk } from "./writer/full-disk.ts";
import type { RunningWriter } from "./writer/open-writer.ts";
import { openWriter } from "./writer/open-writer.ts";
import { recordSteadily } from "./writer/record-steadily.ts";

// Records events for a long time, as a gateway does, into the embedded engine: at a steady rate with flat memory; through a
// schedule of faults that loses nothing; and beyond the spool's bound, where all that is lost is counted. Ends with 1 naming
// each bar missed. The short form for tests is `--seconds 5 --rows-per-second 500 --faults 9 --fault-ms 300`.

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "600" },
    "rows-per-second": { type: "string", default: "5000" },
    "fault-ms": { type: "string", default: "20000" },
    faults: { type: "string", default: "25" },
    "most-growth": { type: "string", default: "0.1" },
    parts: { type: "string", default: "steady,faults,bounds" },
    seed: { type: "string", default: "12" },
  },
});
const seconds = Number(values.seconds);
const rowsPerSecond = Number(values["rows-per-second"]);
const faultMs = Number(values["fault-ms"]);
const mostGrowth = Number(values["most-growth"]);
const seed = Number(values.seed);
/** For what is left at the end: the embedded engine gives way to everything else on the machine. */
const settleMs = 300_000;

const missed: string[] = [];
for (const part of values.parts.split(",")) missed.push(...(await run(part)));
for (const bar of missed) console.log(`missed: ${bar}`);
if (missed.length > 0) process.exitCode = 1;

function run(part: string): Promise<readonly string[]> {
  if (part === "steady") return steadyRate();
  if (part === "faults") return faultsWithinBound();
  if (part === "bounds") return lossesBeyondBound();
  throw new Error(`there is no part ${part}`);
}

async function steadyRate(): Promise<readonly string[]> {
  await using writer = await openWriter({});
  const samples: { readonly atMs: number; readonly megabytes: number }[] = [];
  let mostBacklog = 0;
  const goesOn = (atMs: number): boolean => {
    if (atMs >= samples.length * 100) samples.push({ atMs, megabytes: ownMegabytes() });
    mostBacklog = Math.max(mostBacklog, writer.replay.state.backlogBytes);
    return atMs < seconds * 1_000;
  };
  const took = await recordSteadily(writer, { rowsPerSecond, goesOn });
  const endedMs = systemClock.monotonic();
  await writer.settle(settleMs);
  const lagSeconds = (systemClock.monotonic() - endedMs) / 1_000;
  // The first quarter is the engine's and the compiler's start; then the second is compared with the last.
  const part = (from: number, to: number): number =>
    median(samples.filter(({ atMs }) => atMs >= from * took * 1_000 && atMs <= to * took * 1_000).map(size));
  const [early, late] = [part(0.25, 0.5), part(0.75, 1)];
  const growth = late / early - 1;
  const rate = writer.recorded / took;
  console.log(
    `steady: ${rate.toFixed(0)} rows/s for ${took.toFixed(0)} s; ${early.toFixed(0)} MB, then ${late.toFixed(0)} MB; ` +
      `at most ${(mostBacklog / 1e6).toFixed(1)} MB waited; the last row was there ${lagSeconds.toFixed(1)} s later`,
  );
  return [
    ...(rate >= 0.98 * rowsPerSecond ? [] : [`${rowsPerSecond} rows/s: ${rate.toFixed(0)}`]),
    ...(growth <= mostGrowth ? [] : [`memory grows by ${mostGrowth * 100} % at most: ${(growth * 100).toFixed(1)} %`]),
    ...(await notExact("steady", writer)),
    ...(writer.spool.dropped === 0 ? [] : [`steady: nothing dropped: ${writer.spool.dropped}`]),
  ];
}

async function faultsWithinBound(): Promise<readonly string[]> {
  using disk = await fullDisk();
  await using writer = await openWriter({});
  const schedule = faultSchedule(seed).slice(0, Number(values.faults));
  const done = await runFaults(writer, disk, { schedule, faultMs, rowsPerSecond, seed });
  await writer.settle(settleMs);
  const told = [...done].map(([fault, times]) => `${fault} ${times}`).join(", ");
  console.log(`faults: ${writer.recorded} rows through ${told}; ${disk.refused} writes were refused`);
  return [
    ...(await notExact("faults", writer)),
    ...(writer.spool.dropped === 0 ? [] : [`faults: nothing dropped: ${writer.spool.dropped}`]),
    ...(["killed", "hung"] as const).flatMap((fault) => (done.has(fault) ? [] : [`faults: the engine was ${fault}`])),
    ...(disk.refused > 0 ? [] : ["faults: the disk was full for a write"]),
  ];
}

/** First the store is away until the spool is full, then the disk is full until the memory for it is. */
async function lossesBeyondBound(): Promise<readonly string[]> {
  using disk = await fullDisk();
  await using writer = await openWriter({ maxBytes: 262_144, maxHeldBytes: 131_072 });
  const overflow = async (): Promise<number> => {
    const before = writer.spool.dropped;
    const goesOn = (): boolean => writer.spool.dropped < before + 500;
    await recordSteadily(writer, { rowsPerSecond, goesOn });
    return writer.spool.dropped - before;
  };
  writer.isStoreAway = true;
  const ofSpool = await overflow();
  writer.isStoreAway = false;
  await writer.settle(settleMs);
  disk.isFull = true;
  const ofMemory = await overflow();
  disk.isFull = false;
  await writer.settle(settleMs);
  console.log(`beyond the bounds: ${writer.recorded} rows, of which ${ofSpool} and ${ofMemory} were lost and counted`);
  return await notExact("beyond the bounds", writer); // before it is closed
}

/** Each row is in the store once or was counted as dropped. */
async function notExact(what: string, writer: RunningWriter): Promise<readonly string[]> {
  const { rows, different } = await writer.count();
  const { dropped } = writer.spool;
  return [
    ...(rows === different ? [] : [`${what}: no row twice: ${rows - different}`]),
    ...(different + dropped === writer.recorded
      ? []
      : [`${what}: ${writer.recorded} rows are there or counted: ${different} there, ${dropped} counted`]),
  ];
}

function size({ megabytes }: { readonly megabytes: number }): number {
  return megabytes;
}

function ownMegabytes(): number {
  return processUse(process.pid)?.ownMegabytes ?? process.memoryUsage.rss() / 1e6;
}
