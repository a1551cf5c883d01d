import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { systemClock } from "../../src/kernel/clock.ts";
import type { NotesProcess, NotesProcessOptions } from "../../src/quickstart/notes-process.ts";
import { startNotesProcess } from "../../src/quickstart/notes-process.ts";
import { eventually } from "../kit/eventually.ts";
import { memoryLog } from "../kit/gatehouse.ts";
import { manualClock } from "../kit/manual-clock.ts";
import { rawHttp } from "../kit/raw-http.ts";
import type { ConnectedClient } from "./mcp-client.ts";
import { connectClient, eras } from "./mcp-client.ts";

const token = "t".repeat(43);
let base: string;
let workspaceFolder: string;
let log: ReturnType<typeof memoryLog>;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "gatehouse-process-"));
  workspaceFolder = join(base, "workspace");
  log = memoryLog();
});

afterEach(() => rm(base, { recursive: true, force: true }));

const start = (options: Partial<NotesProcessOptions> = {}): Promise<NotesProcess> =>
  startNotesProcess({ workspaceFolder, token, clock: systemClock, log, ...options });
const connect = ({ port }: NotesProcess): Promise<ConnectedClient> =>
  connectClient(`http://127.0.0.1:${port}/mcp`, { authorization: `Bearer ${token}` }, eras[1].mode);
const answers = ({ port }: NotesProcess): Promise<boolean> =>
  rawHttp(`http://127.0.0.1:${port}/mcp`).then(
    ({ status }) => status === 401,
    () => false,
  );
const pidOf = ({ pid }: NotesProcess): number => {
  if (pid === undefined) throw new Error("no process runs"); // and 0 would be all of ours
  return pid;
};
const kill = async (notes: NotesProcess): Promise<void> => {
  const pid = pidOf(notes);
  process.kill(pid, "SIGKILL");
  await eventually("the process is seen to be gone", () => notes.pid !== pid);
};
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe("the process", () => {
  test("works on its workspace, which is its owner's alone", async () => {
    await using notes = await start();
    await using client = await connect(notes);
    await client.call("files_write", { path: "a.txt", text: "x" });
    expect(await readFile(join(workspaceFolder, "a.txt"), "utf8")).toBe("x");
    expect((await stat(workspaceFolder)).mode & 0o777).toBe(0o700);
    expect(notes.pid).not.toBe(process.pid);
  });

  test("works where the way to its workspace goes through a link", async () => {
    await symlink(base, join(base, "linked"));
    await using notes = await start({ workspaceFolder: join(base, "linked", "workspace") });
    await using client = await connect(notes);
    expect(await client.call("files_write", { path: "a.txt", text: "x" })).toMatchObject({ created: true });
  });

  test.runIf(existsSync("/proc/self/environ"))(
    "gets no environment, and nobody sees the token by its arguments",
    async () => {
      vi.stubEnv("OPENAI_API_KEY", "sk-canary");
      await using notes = await start();
      expect(await readFile(`/proc/${notes.pid}/environ`, "utf8")).toBe("");
      const shown = await readFile(`/proc/${notes.pid}/cmdline`, "utf8");
      expect(shown).toContain("--permission");
      expect(shown).not.toContain(token);
    },
  );

  test.runIf(existsSync("/proc/self/cmdline"))(
    "is kept from other files by Node too, and not only by its own care",
    async () => {
      await using notes = await start();
      const shown = await readFile(`/proc/${notes.pid}/cmdline`, "utf8");
      const options = shown.split("\u0000").filter((each) => each.startsWith("--"));
      const outside = join(base, "secret.txt");
      await writeFile(outside, "canary");
      const tryAll = `
      const { readFileSync, writeFileSync } = require("node:fs");
      const tries = {
        read: () => readFileSync(${JSON.stringify(outside)}),
        write: () => writeFileSync(${JSON.stringify(join(base, "new.txt"))}, ""),
        code: () => writeFileSync(${JSON.stringify(join(import.meta.dirname, "new.txt"))}, ""),
        spawn: () => require("node:child_process").spawnSync("true"),
        worker: () => new (require("node:worker_threads").Worker)("", { eval: true }),
        generate: () => new Function("return 1"),
        own: () => writeFileSync(${JSON.stringify(join(workspaceFolder, "own.txt"))}, ""),
      };
      for (const [name, work] of Object.entries(tries)) {
        try { work(); console.log(name); } catch {}
      }`;
      const child = spawn(process.execPath, [...options, "--eval", tryAll], { cwd: workspaceFolder, env: {} });
      const chunks: Buffer[] = [];
      child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
      await once(child, "close");
      expect(Buffer.concat(chunks).toString()).toBe("own\n");
    },
  );

  test("bears many callers at once: each gets its own answer", { timeout: 60_000 }, async () => {
    await using notes = await start();
    await using client = await connect(notes);
    const titles = Array.from({ length: 200 }, (_, number) => `note ${number}`);
    const added = await Promise.all(
      titles.map((title) => client.call("notes_add", { title, text: "x".repeat(2_000) })),
    );
    expect(added.map(({ title }) => title)).toEqual(titles);
    expect(await client.call("notes_search", { limit: 1 })).toMatchObject({ total: 200 });
    expect(log.lines).toEqual([]);
  });

  test("takes the port that it had when that is free, and another when it is not", async () => {
    const first = await start();
    await first[Symbol.asyncDispose]();
    await using again = await start({ preferredPort: first.port });
    expect(again.port).toBe(first.port);
    const squatter = createServer().listen(0, "127.0.0.1");
    await once(squatter, "listening");
    const taken = Object(squatter.address()).port;
    await using other = await start({ preferredPort: taken });
    expect(other.port).not.toBe(taken);
    squatter.close();
  });

  test("is told of when it cannot start", async () => {
    await writeFile(join(base, "file"), "");
    await expect(start({ workspaceFolder: join(base, "file") })).rejects.toMatchObject({ code: "store.unavailable" });
  });
});

describe("its end", () => {
  test("comes with that of its owner", async () => {
    const notes = await start();
    const pid = pidOf(notes);
    await notes[Symbol.asyncDispose]();
    expect(await answers(notes)).toBe(false);
    expect(isAlive(pid)).toBe(false);
    expect(log.lines).toEqual([]);
  });

  test("comes when its owner is killed without a word", async () => {
    const parent = spawn(process.execPath, [join(import.meta.dirname, "notes-parent.ts"), workspaceFolder, token], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [said] = await once(parent.stdout.setEncoding("utf8"), "data");
    const pid = Number(Object(JSON.parse(String(said))).pid);
    expect(pid > 0 && isAlive(pid)).toBe(true);
    parent.kill("SIGKILL");
    await eventually("the notes process has ended", () => !isAlive(pid), 5_000);
  });

  test("does not come by the Ctrl-C of the terminal, for the gateway's last requests need it", async () => {
    await using notes = await start();
    process.kill(pidOf(notes), "SIGINT");
    await using client = await connect(notes);
    expect(await client.call("files_list")).toEqual({ entries: [] });
    expect(log.lines).toEqual([]);
  });

  test("brings a new process on the same port, with all that the old one had kept", async () => {
    await using notes = await start();
    const { port, pid } = notes;
    await using before = await connect(notes);
    await before.call("notes_add", { title: "Kept", text: "x" });
    await kill(notes);
    await eventually("a new process answers", () => answers(notes), 10_000);
    expect(notes.port).toBe(port);
    expect(notes.pid).not.toBe(pid);
    await using after = await connect(notes);
    expect(await after.call("notes_search")).toMatchObject({ total: 1 });
    expect(log.lines).toMatchObject([{ level: "warn", fields: { end: "SIGKILL" } }]);
  });

  test("that comes again and again brings longer waits, until one has lived", async () => {
    const clock = manualClock();
    await using notes = await start({ clock });
    const waits: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      await kill(notes);
      await eventually("its end is told", () => log.lines.length === round + 1);
      const waitMs = Number(Object(log.lines[round]?.fields).waitMs);
      waits.push(waitMs);
      if (waitMs > 0) {
        clock.advance(waitMs - 1);
        expect(notes.pid).toBeUndefined();
        clock.advance(1);
      }
      await eventually("a new process answers", () => answers(notes), 10_000);
      if (round === 2) clock.advance(30_001);
    }
    expect(waits).toEqual([0, 250, 500, 0]);
  });
});
