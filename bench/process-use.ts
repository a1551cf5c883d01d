import { readdirSync, readFileSync } from "node:fs";

/** What a process and all below it use. */
export interface ProcessUse {
  /** Resident, in 10^6 bytes. */
  readonly megabytes: number;
  /** Of the process alone, without those below it. */
  readonly ownMegabytes: number;
  /** Processor time since the start, in seconds. */
  readonly processorSeconds: number;
}

/** What a process and all below it use now; undefined where the system does not tell. */
export function processUse(pid: number): ProcessUse | undefined {
  if (process.platform !== "linux") return undefined;
  const own = familyOf(pid);
  return {
    ownMegabytes: own.find(({ id }) => id === pid)?.megabytes ?? 0,
    megabytes: own.reduce((sum, { megabytes }) => sum + megabytes, 0),
    processorSeconds: own.reduce((sum, { processorSeconds }) => sum + processorSeconds, 0),
  };
}

/** Ids of all processes below one. */
export function childrenOf(pid: number): readonly number[] {
  return familyOf(pid).flatMap(({ id }) => (id === pid ? [] : [id]));
}

function familyOf(pid: number): readonly Found[] {
  const known = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcess(Number(name)))
    .filter((found) => found !== undefined);
  const family = new Set([pid]);
  // A child may stand before its parent in the list: go round until nobody new is found.
  for (let before = 0; before !== family.size; ) {
    before = family.size;
    for (const { id, parent } of known) if (family.has(parent)) family.add(id);
  }
  return known.filter(({ id }) => family.has(id));
}

interface Found extends Omit<ProcessUse, "ownMegabytes"> {
  readonly id: number;
  readonly parent: number;
}

/** Linux counts processor time in hundredths of a second, whatever the kernel's own clock. */
const ticksPerSecond = 100;

function readProcess(id: number): Found | undefined {
  try {
    const stat = readFileSync(`/proc/${id}/stat`, "latin1");
    const resident = Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${id}/status`, "latin1"))?.[1] ?? 0);
    // The name in parentheses may hold anything; what follows it is state, parent, and, from the 12th on, the times.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = Number(fields[11]) + Number(fields[12]);
    return {
      id,
      parent: Number(fields[1]),
      megabytes: (resident * 1_024) / 1e6,
      processorSeconds: ticks / ticksPerSecond,
    };
  } catch {
    return undefined; // it has ended meanwhile
  }
}
