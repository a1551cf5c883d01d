import { seededRandom, shuffled } from "../../scripts/eval/random.ts";
import { assertNever } from "../../src/kernel/assert-never.ts";
import type { FullDisk } from "./full-disk.ts";
import type { RunningWriter } from "./open-writer.ts";
import { recordSteadily } from "./record-steadily.ts";

/** What can go wrong while rows are recorded. `none` is a good while between two faults. */
export const writerFaults = ["killed", "hung", "disk full", "clock jumped", "none"] as const;

export type WriterFault = (typeof writerFaults)[number];

/** Each fault behind each, in an order that the seed chooses. */
export function faultSchedule(seed: number): readonly WriterFault[] {
  const faults = shuffled(writerFaults, seededRandom(seed));
  return faults.flatMap((first, place) => [first, ...faults.slice(place + 1).flatMap((second) => [first, second])]);
}

export interface FaultOrder {
  readonly schedule: readonly WriterFault[];
  /** How long each lasts. */
  readonly faultMs: number;
  readonly rowsPerSecond: number;
  readonly seed: number;
}

/** Records while faults come and go; answers how often each was done. The last one is over when it resolves. */
export async function runFaults(
  writer: RunningWriter,
  disk: FullDisk,
  { schedule, faultMs, rowsPerSecond, seed }: FaultOrder,
): Promise<ReadonlyMap<WriterFault, number>> {
  const done = new Map<WriterFault, number>();
  const random = seededRandom(seed);
  const isStarting = (elapsedMs: number): boolean => writer.engine.state.state !== "running" && elapsedMs < startMs;
  for (const fault of schedule) {
    if (fault === "killed" || fault === "hung") await recordSteadily(writer, { rowsPerSecond, goesOn: isStarting });
    const end = begin(fault, writer, disk, random());
    if (end !== undefined) done.set(fault, (done.get(fault) ?? 0) + 1);
    // A try of its own for each fault: the writer's pauses after failures are longer than a short form is.
    const tried = writer.replay.catchUp();
    await recordSteadily(writer, { rowsPerSecond, goesOn: (elapsedMs) => elapsedMs < faultMs });
    end?.();
    await tried;
  }
  return done;
}

/** What the engine is given to be back. */
const startMs = 120_000;

/** Answers what ends it; undefined where it could not be done, since there is no process to be killed or stopped. */
function begin(fault: WriterFault, writer: RunningWriter, disk: FullDisk, chance: number): (() => void) | undefined {
  const { pid } = writer.engine.state;
  switch (fault) {
    case "none":
      return () => undefined;
    case "killed":
      return pid === undefined ? undefined : (process.kill(pid, "SIGKILL"), () => undefined);
    case "hung":
      return pid === undefined ? undefined : (process.kill(pid, "SIGSTOP"), () => signal(pid, "SIGCONT"));
    case "disk full":
      disk.isFull = true;
      return () => {
        disk.isFull = false;
      };
    case "clock jumped":
      writer.clockJumpMs += Math.round((chance - 0.5) * 10 * 86_400_000);
      return () => undefined;
    default:
      return assertNever(fault);
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // it has ended meanwhile
  }
}
