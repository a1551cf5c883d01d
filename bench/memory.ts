import { readdirSync, readFileSync } from "node:fs";

/** Resident megabytes (10^6 bytes) of a process and all below it; undefined where the system does not tell. */
export function residentMegabytes(pid: number): number | undefined {
  if (process.platform !== "linux") return undefined;
  const processes = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcess(Number(name)));
  const known = processes.filter((found) => found !== undefined);
  const family = new Set([pid]);
  // A child may stand before its parent in the list: go round until nobody new is found.
  for (let before = 0; before !== family.size; ) {
    before = family.size;
    for (const { id, parent } of known) if (family.has(parent)) family.add(id);
  }
  const kilobytes = known
    .filter(({ id }) => family.has(id))
    .reduce((sum, { residentKilobytes }) => sum + residentKilobytes, 0);
  return (kilobytes * 1_024) / 1e6;
}

interface Found {
  readonly id: number;
  readonly parent: number;
  readonly residentKilobytes: number;
}

function readProcess(id: number): Found | undefined {
  try {
    const status = readFileSync(`/proc/${id}/status`, "utf8");
    return { id, parent: numberAfter(status, "PPid"), residentKilobytes: numberAfter(status, "VmRSS") };
  } catch {
    return undefined; // it has ended meanwhile
  }
}

function numberAfter(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s*(\\d+)`, "m").exec(status)?.[1] ?? 0);
}
