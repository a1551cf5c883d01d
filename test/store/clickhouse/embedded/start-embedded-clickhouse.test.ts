import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import type { EmbeddedClickHouse } from "../../../../src/store/clickhouse/embedded/start-embedded-clickhouse.ts";
import { startEmbeddedClickHouse } from "../../../../src/store/clickhouse/embedded/start-embedded-clickhouse.ts";
import { silentLog } from "../../../kit/embedded-clickhouse.ts";
import type { ManualClock } from "../../../kit/manual-clock.ts";
import { manualClock } from "../../../kit/manual-clock.ts";

/** A supervisor of a process that runs `script` in the engine's place. `send` is there, and `open` when it is asked to open. */
async function supervise(script: string): Promise<{ embedded: EmbeddedClickHouse; clock: ManualClock }> {
  const directory = await mkdtemp(join(tmpdir(), "gatehouse-supervisor-"));
  const path = join(directory, "program.mjs");
  await writeFile(path, `const send = (m) => process.send(m); process.on("message", (open) => { ${script} });`);
  const clock = manualClock();
  const program = pathToFileURL(path);
  const embedded = startEmbeddedClickHouse({ directory, memoryBytes: 1, clock, log: silentLog, program });
  onTestFinished(async () => {
    await embedded[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });
  return { embedded, clock };
}

const ready = 'send({ type: "ready", port: open.secret.length, version: "1" });';

test("no process runs before the first question", async () => {
  const { embedded } = await supervise(ready);
  expect(embedded.state).toMatchObject({ state: "idle", pid: undefined, restarts: 0 });
});

test("the endpoint is on loopback, with a password that only the two processes know", async () => {
  const { embedded } = await supervise(ready);
  const [first, second] = await Promise.all([embedded.find(), embedded.find()]);
  expect(first).toBe(second);
  expect(first.url).toBe("http://127.0.0.1:64"); // as the script says: the password's length
  expect(first.writer).toMatchObject({ username: "writer", password: expect.stringMatching(/^[0-9a-f]{64}$/) });
  expect(embedded.state).toMatchObject({ state: "running", version: "1", restarts: 0 });
});

test("where the package is missing, every question is refused for good and names the way out", async () => {
  const { embedded, clock } = await supervise('send({ type: "unavailable", reason: "musl" }); process.disconnect();');
  const refusal = { code: "analytics.not_available", message: expect.stringContaining("CLICKHOUSE_URL") };
  await expect(embedded.find()).rejects.toMatchObject(refusal);
  clock.advance(600_000);
  await expect(embedded.find()).rejects.toMatchObject(refusal);
  expect(embedded.state).toMatchObject({ state: "unavailable", reason: "musl", restarts: 0 });
});

test("a process that ends is started again, after longer and longer pauses", async () => {
  const { embedded, clock } = await supervise('send({ type: "failed", reason: "disk" }); process.disconnect();');
  for (const [restarts, pauseMs] of [250, 500, 1_000, 2_000].entries()) {
    await embedded.find().catch(() => undefined);
    await expect
      .poll(() => embedded.state, { interval: 2 })
      .toMatchObject({ state: "waiting", restarts: restarts + 1 });
    await expect(embedded.find()).rejects.toMatchObject({ code: "store.unavailable" });
    clock.advance(pauseMs - 1);
    expect(embedded.state.state).toBe("waiting");
    clock.advance(1);
    expect(embedded.state.state).toBe("starting");
  }
});

test("after a crash the endpoint is another one", async () => {
  const { embedded, clock } = await supervise(ready);
  const first = await embedded.find();
  process.kill(embedded.state.pid ?? 0, "SIGKILL");
  await expect.poll(() => embedded.state.state, { interval: 2 }).toBe("waiting");
  expect(embedded.state.reason).toContain("SIGKILL");
  clock.advance(250);
  const second = await embedded.find();
  expect(second).not.toBe(first);
  expect(second.writer.password).not.toBe(first.writer.password);
});

test("a process that does not get ready is killed", async () => {
  const { embedded, clock } = await supervise("setInterval(() => {}, 1000);");
  const asked = embedded.find();
  asked.catch(() => undefined);
  clock.advance(60_000);
  await expect(asked).rejects.toMatchObject({ code: "store.unavailable" });
});

test("disposing ends the process", async () => {
  const { embedded } = await supervise(ready);
  await embedded.find();
  const pid = embedded.state.pid ?? 0;
  await embedded[Symbol.asyncDispose]();
  expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
});
