import { spawn } from "node:child_process";
import { once } from "node:events";
import { DatabaseSync } from "node:sqlite";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openSqliteCatalog } from "../../../src/store/sqlite/open-sqlite-catalog.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const kills = 20;

test(`${kills} times kill -9 at any moment loses no acknowledged write and leaves none half done`, async () => {
  using directory = temporaryDirectory();
  const path = directory.file("catalog.db");
  const acknowledged: string[] = [];
  for (let kill = 0; kill < kills; kill += 1) {
    // The first child and every fourth after it are killed at some moment of their start, the others while they write.
    acknowledged.push(...(await writeUntilKilled(path, kill % 4 === 0)));
    await expectEverythingThere(path, acknowledged);
  }
  expect(acknowledged.length).toBeGreaterThan(kills);
}, 60_000);

async function writeUntilKilled(path: string, atStart: boolean): Promise<string[]> {
  const script = fileURLToPath(new URL("writing-child.ts", import.meta.url));
  const child = spawn(process.execPath, [script, path], { stdio: ["ignore", "pipe", "pipe"] });
  const errors = text(child.stderr);
  const lines: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => lines.push(chunk));
  const ended = once(child, "close");
  if (!atStart) await Promise.race([once(child.stdout, "data"), ended]);
  // The moment has to be a random one of real time; nothing waits for it to be long enough.
  await delay(Math.random() * (atStart ? 250 : 60));
  child.kill("SIGKILL");
  await ended;
  expect(await errors).toBe("");
  expect(child.signalCode).toBe("SIGKILL");
  const printed = Buffer.concat(lines).toString();
  return printed
    .slice(0, printed.lastIndexOf("\n") + 1)
    .split("\n")
    .filter(Boolean);
}

async function expectEverythingThere(path: string, acknowledged: readonly string[]): Promise<void> {
  await (await openSqliteCatalog({ path }))[Symbol.asyncDispose]();
  using database = new DatabaseSync(path, { readOnly: true });
  expect(database.prepare("pragma integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
  const idsOf = (sql: string) =>
    new Set(
      database
        .prepare(sql)
        .all()
        .map((row) => String(row["id"])),
    );
  const stored = idsOf("select id from resources");
  expect(acknowledged.filter((id) => !stored.has(id))).toEqual([]);
  expect(idsOf("select resource_id as id from audit")).toEqual(stored);
}
