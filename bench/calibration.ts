import { execFileSync } from "node:child_process";
import { pinnedCommand } from "./pinned.ts";

/** Milliseconds of processor time of the loop on the 2-core, 2.5 GHz machine that the bars in milliseconds are written for. */
const referenceMs = 65;

/** How this machine compares: bars in milliseconds are multiplied by `factor`. */
export interface Calibration {
  readonly loopMs: number;
  readonly referenceMs: number;
  readonly factor: number;
}

/**
 * Processor time of a fixed loop on the core that the lanes run on, the best of five: a busy machine must not move the
 * bars. Ratios need no such thing; absolute times mean nothing without.
 */
export function calibrate(): Calibration {
  const timesMs = Array.from({ length: 5 }, () => {
    const [command, args] = pinnedCommand("subject", process.execPath, ["-e", loop]);
    return Number(execFileSync(command, args, { env: {} }).toString());
  });
  const loopMs = Math.min(...timesMs);
  return { loopMs, referenceMs, factor: loopMs / referenceMs };
}

// Integers, a hash map and strings, in a process of its own so that nobody else's compiled code is measured.
const loop = `
const work = () => {
  const seen = new Map();
  let state = 2463534242;
  for (let at = 0; at < 1_000_000; at += 1) {
    state ^= state << 13; state ^= state >>> 17; state ^= state << 5;
    const name = "k" + (state & 4095);
    seen.set(name, (seen.get(name) ?? 0) + 1);
  }
  return seen.size;
};
work();
const before = process.cpuUsage();
work();
console.log(process.cpuUsage(before).user / 1e3);`;
