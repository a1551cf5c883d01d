import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { describeWithEngine } from "../kit/embedded-clickhouse.ts";

const script = fileURLToPath(new URL("../../bench/soak-writer.ts", import.meta.url));

/** Runs a form of the soak that is short; what memory is then says nothing, so its bar is where the test puts it. */
async function soak(...words: string[]): Promise<{ readonly code: unknown; readonly out: string }> {
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", script, "--rows-per-second", "400", "--fault-ms", "200", ...words],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const ended = once(child, "close");
  const out = await text(child.stdout);
  const [code] = await ended;
  return { code, out };
}

describeWithEngine("the soak of the writer, in short", () => {
  test("loses no row to an engine killed or hung, a full disk or a clock that jumps, and counts what no bound holds", async () => {
    const { code, out } = await soak("--seconds", "4", "--faults", "9", "--most-growth", "10");
    expect(out).not.toContain("missed");
    expect(code).toBe(0);
    for (const part of ["steady: ", "killed", "hung", "disk full", "clock jumped", "lost and counted"])
      expect(out).toContain(part);
  }, 600_000);

  test("ends with 1 and names the bar that was missed", async () => {
    const { code, out } = await soak("--parts", "steady", "--seconds", "1", "--most-growth=-1");
    expect(out).toContain("missed: memory grows by -100 % at most");
    expect(code).toBe(1);
  }, 300_000);
});
