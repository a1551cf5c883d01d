import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { expect, onTestFinished, test } from "vitest";
import { exportAnalytics } from "../../src/cli/export-analytics.ts";
import { manualClock } from "../kit/manual-clock.ts";
import { testShell } from "./test-shell.ts";

/** A control API that answers an export by what it was asked, until `failAt` were asked, and never again after. */
async function serveExports(failAt = Number.POSITIVE_INFINITY) {
  const asked: string[] = [];
  const state = { failAt };
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? "/", "http://localhost");
    asked.push(searchParams.get("from") ?? "");
    response.statusCode = asked.length > state.failAt ? 503 : 200;
    response.end(JSON.stringify(Object.fromEntries(searchParams)));
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server that listens has one
  return { url, asked, state };
}

async function newDirectory(): Promise<string> {
  const cwd = await mkdtemp(join(tmpdir(), "gatehouse-export-"));
  onTestFinished(() => rm(cwd, { recursive: true, force: true }));
  return cwd;
}

const options = { out: "rows", format: "csv", table: "exchanges", token: "t", from: "2026-01-15T10:20:00Z" };
const hours = ["2026-01-15T10", "2026-01-15T11", "2026-01-15T12"];
const files = hours.map((hour) => `exchanges-${hour}.csv`);

test("each whole hour is a file; one that is not over long enough is left to the next run", async () => {
  const { url, asked } = await serveExports();
  const cwd = await newDirectory();
  const clock = manualClock(Date.UTC(2026, 0, 15, 13, 14));
  const run = () => exportAnalytics({ ...options, controlUrl: url, api: "chat" }, testShell({ cwd, clock }));
  await run();
  expect((await readdir(join(cwd, "rows"))).toSorted()).toEqual(files.slice(0, 2));
  expect(JSON.parse(await readFile(join(cwd, "rows", "exchanges-2026-01-15T10.csv"), "utf8"))).toEqual({
    table: "exchanges",
    format: "csv",
    api: "chat",
    from: "2026-01-15T10:00:00.000Z",
    to: "2026-01-15T11:00:00.000Z",
  });
  clock.advance(60_000);
  await run();
  expect((await readdir(join(cwd, "rows"))).toSorted()).toEqual(files);
  expect(asked).toEqual(hours.map((hour) => `${hour}:00:00.000Z`));
});

test("a run that was stopped goes on where it was, and leaves no half file", async () => {
  const { url, asked, state } = await serveExports(1);
  const cwd = await newDirectory();
  const clock = manualClock(Date.UTC(2026, 0, 15, 23));
  const shell = testShell({ cwd, clock });
  const run = () => exportAnalytics({ ...options, to: "2026-01-15T13:59:59Z", controlUrl: url }, shell);
  await expect(run()).rejects.toMatchObject({ code: "upstream.invalid" });
  expect(await readdir(join(cwd, "rows"))).toEqual([files[0]]);
  await writeFile(join(cwd, "rows", `${files[1] ?? ""}.part`), "half");
  state.failAt = Number.POSITIVE_INFINITY;
  await run();
  expect((await readdir(join(cwd, "rows"))).toSorted()).toEqual(files);
  expect(asked).toHaveLength(4);
  expect(shell.lines).toEqual(["2 files written, 1 were there"]);
});

test.each([
  [{ format: "xml" }, "--format"],
  [{ table: "config_snapshots" }, "--table"],
  [{ from: "yesterday" }, "--from"],
  [{ from: "1990-01-01T00:00:00Z" }, "20000 hours"],
])("%o is refused before anything is asked", async (wrong, told) => {
  const { url, asked } = await serveExports();
  const cwd = await newDirectory();
  const ended = exportAnalytics({ ...options, ...wrong, controlUrl: url }, testShell({ cwd, clock: manualClock() }));
  await expect(ended).rejects.toMatchObject({ code: "request.invalid", message: expect.stringContaining(told) });
  expect(asked).toEqual([]);
});

test("an answer that breaks off in the middle is no file, and the command fails", async () => {
  const server = createServer((_request, response) => {
    response.write("row 1\n");
    setImmediate(() => response.destroy());
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server that listens has one
  const cwd = await newDirectory();
  const clock = manualClock(Date.UTC(2026, 0, 15, 23));
  const ended = exportAnalytics({ ...options, controlUrl: url }, testShell({ cwd, clock }));
  await expect(ended).rejects.toMatchObject({ code: "upstream.reset" });
  expect(await readdir(join(cwd, "rows"))).toEqual([]);
});

test("a large answer goes to its file as it comes", async () => {
  const piece = Buffer.alloc(1_048_576, "x");
  const server = createServer((_request, response) => {
    void pipeline(Readable.from(Array.from({ length: 300 }, () => piece)), response).catch(() => {});
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server that listens has one
  const cwd = await newDirectory();
  const clock = manualClock(Date.UTC(2026, 0, 15, 11, 30));
  await exportAnalytics({ ...options, controlUrl: url }, testShell({ cwd, clock }));
  expect((await stat(join(cwd, "rows", files[0] ?? ""))).size).toBe(300 * 1_048_576);
});
