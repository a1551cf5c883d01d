import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { expect, onTestFinished, test } from "vitest";
import { tailAnalytics } from "../../src/cli/analytics.ts";
import { exchangeRow } from "../kit/event-rows.ts";
import { manualClock } from "../kit/manual-clock.ts";
import { testShell } from "./test-shell.ts";

/** A control API that has only rows, asked in pages, newest first. */
async function serveRows(count: () => number): Promise<string> {
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? "/", "http://localhost");
    const limit = Number(searchParams.get("limit"));
    const before = Number(searchParams.get("cursor") ?? count());
    const numbers = Array.from({ length: Math.min(limit, before) }, (_, index) => before - 1 - index);
    const items = numbers.map((number) => ({ ...exchangeRow(number), ts: new Date(number).toISOString() }));
    const end = before - numbers.length;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ items, ...(end > 0 && { next: String(end) }) }));
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server that listens has one
}

test("following shows each row once and in order, also when more come between two looks than a page has", async () => {
  let recorded = 1_000;
  const controlUrl = await serveRows(() => recorded);
  const clock = manualClock();
  const shell = testShell({ cwd: tmpdir(), clock });
  const ended = tailAnalytics({ lines: "3", follow: true, controlUrl, token: "t" }, shell);
  const shown = () => shell.lines.map((line) => Date.parse((JSON.parse(line) as { ts: string }).ts)); // rows of ours
  await expect.poll(shown, { interval: 2 }).toEqual([997, 998, 999]);
  recorded = 1_950;
  await expect.poll(() => (clock.advance(1_000), shell.lines.length), { interval: 2 }).toBe(953);
  shell.stop("SIGINT");
  clock.advance(1_000);
  await ended;
  expect(shown()).toEqual(Array.from({ length: 953 }, (_, index) => 997 + index));
});
