import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { expect, onTestFinished, test } from "vitest";
import { tailAnalytics } from "../../src/cli/analytics.ts";
import { exchangeRow } from "../kit/event-rows.ts";
import { manualClock } from "../kit/manual-clock.ts";
import { testShell } from "./test-shell.ts";

/** A control API that has only rows: the latest in pages, newest first, and a tail whose cursors are numbers of rows. */
async function serveRows(count: () => number) {
  const asked: URL[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    asked.push(url);
    const isTail = url.pathname.endsWith("/tail");
    const begin = isTail ? Number(url.searchParams.get("cursor") ?? count() - 2) : 0; // a tail may begin a little earlier
    const length = Math.min(isTail ? 200 : Number(url.searchParams.get("limit")), count() - begin);
    const numbers = Array.from({ length }, (_, index) => (isTail ? begin + index : count() - 1 - index));
    const items = numbers.map((number) => ({ ...exchangeRow(number), ts: new Date(number).toISOString() }));
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ items, ...(isTail && { next: String(begin + length) }) }));
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server that listens has one
  return { url, asked };
}

test("following shows each row once and in order, also when more come between two looks than a page has", async () => {
  let recorded = 1_000;
  const { url: controlUrl, asked } = await serveRows(() => recorded);
  const clock = manualClock();
  const shell = testShell({ cwd: tmpdir(), clock });
  const ended = tailAnalytics({ lines: "3", follow: true, tool: "search", controlUrl, token: "t" }, shell);
  const shown = () => shell.lines.map((line) => Date.parse((JSON.parse(line) as { ts: string }).ts)); // rows of ours
  await expect.poll(shown, { interval: 2, timeout: 15_000 }).toEqual([997, 998, 999]);
  recorded = 1_950;
  const more = { interval: 2, timeout: 15_000 };
  await expect.poll(() => (clock.advance(1_000), shell.lines.length), more).toBe(953);
  shell.stop("SIGINT");
  clock.advance(1_000);
  await ended;
  expect(shown()).toEqual(Array.from({ length: 953 }, (_, index) => 997 + index));
  expect(new Set(asked.map(({ searchParams }) => searchParams.get("tool")))).toEqual(new Set(["search"]));
});

test("without --follow it ends with the latest rows", async () => {
  const { url: controlUrl, asked } = await serveRows(() => 10);
  const shell = testShell({ cwd: tmpdir() });
  await tailAnalytics({ lines: "2", outcome: "ok", controlUrl, token: "t" }, shell);
  expect(shell.lines).toHaveLength(2);
  expect(asked.map(({ search }) => search)).toEqual(["?outcome=ok&limit=2"]);
});
