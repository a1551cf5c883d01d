import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { asked } from "../../bench/questions/asked.ts";
import { describeEmbedded } from "../kit/embedded-clickhouse.ts";

const script = fileURLToPath(new URL("../../bench/questions.ts", import.meta.url));

describeEmbedded("the bench of the questions, in short", () => {
  test("asks each question of a filled store, and its end says whether a bar was missed", async () => {
    const words = ["--disable-warning=ExperimentalWarning", script, "--rows", "5000", "--rounds", "1"];
    const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(child, "close");
    const out = await text(child.stdout);
    const [code] = await ended;
    for (const { name } of asked) expect(out).toMatch(new RegExp(`^${name} +p50 +\\d+ ms  p95 +\\d+ ms`, "m"));
    // How long they take on a busy machine says nothing.
    expect(code).toBe(out.includes("missed: ") ? 1 : 0);
  }, 300_000);
});
