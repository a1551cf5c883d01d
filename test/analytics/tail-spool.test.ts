import { appendFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { EventSpool } from "../../src/analytics/event-spool.ts";
import { tailSpool } from "../../src/analytics/tail-spool.ts";
import { lineOf } from "../kit/line-of.ts";
import { attempts, event, newDirectory, numbers, openSpool } from "../kit/spool-kit.ts";

test("follows over new events and new segments until it is told to stop", async () => {
  const { spool, directory } = await openSpool({ maxBytes: 8_192 });
  spool.record(event(0));
  await spool.flush();
  const stop = new AbortController();
  const seen: number[] = [];
  for await (const row of tailSpool({ directory, follow: true, signal: stop.signal })) {
    if (row.type === "attempt") seen.push(row.attempt);
    if (seen.length === 50) stop.abort();
    else await recordNext(spool, seen.length);
  }
  expect(seen).toEqual(numbers(50));
  expect((await readdir(directory)).length).toBeGreaterThan(2);
  await spool[Symbol.asyncDispose]();
});

async function recordNext(spool: EventSpool, number: number): Promise<void> {
  spool.record(event(number));
  if (number % 3 === 0) await spool.flush();
  else void spool.flush();
}

test("waits for the rest of a line that is being written", async () => {
  const directory = await newDirectory();
  const { spool } = await openSpool({ directory });
  spool.record(event(0));
  await spool[Symbol.asyncDispose]();
  const [name = ""] = await readdir(directory);
  const line = lineOf(event(1));
  await appendFile(join(directory, name), line.slice(0, 30));
  const rows = tailSpool({ directory, follow: true, signal: AbortSignal.timeout(5_000) });
  expect((await rows.next()).value).toMatchObject({ attempt: 0 });
  const next = rows.next();
  await appendFile(join(directory, name), line.slice(30));
  expect((await next).value).toMatchObject({ attempt: 1 });
  await rows.return(undefined);
});

test("ends when it is told to stop while nothing happens", async () => {
  const { spool, directory } = await openSpool();
  const stop = new AbortController();
  const next = tailSpool({ directory, follow: true, signal: stop.signal }).next();
  stop.abort();
  expect(await next).toEqual({ done: true, value: undefined });
  await spool[Symbol.asyncDispose]();
});

test.each([true, false])("says so where no spool has been, following: %s", async (follow) => {
  const rows = tailSpool({ directory: await newDirectory(), follow });
  await expect(rows.next()).rejects.toMatchObject({ code: "resource.not_found" });
});

test("passes files over that are no segments, and lines that are no events", async () => {
  const { spool, directory } = await openSpool();
  spool.record(event(0));
  await spool[Symbol.asyncDispose]();
  await writeFile(join(directory, "notes.txt"), "hello\n");
  await writeFile(join(directory, "000000000000001.ndjson"), `\n[]\nnull\n{"type":\n["exit",1]\n${lineOf(event(7))}`);
  expect(await attempts(directory)).toEqual([7, 0]);
});
