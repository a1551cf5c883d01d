import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Workspace } from "../../../src/quickstart/notes-server/workspace.ts";
import { largestFileBytes, mostEntries, openWorkspace } from "../../../src/quickstart/notes-server/workspace.ts";
import { canHoldFolders } from "../../../src/quickstart/notes-server/workspace-folder.ts";

let base: string;
let root: string;
let outside: string;
let workspace: Workspace;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "gatehouse-workspace-"));
  root = join(base, "workspace");
  outside = join(base, "outside");
  await Promise.all([mkdir(root), mkdir(outside)]);
  await writeFile(join(outside, "secret.txt"), "canary");
  workspace = await openWorkspace(root);
});

afterEach(() => rm(base, { recursive: true, force: true }));

const write = (path: string, text = "text") => workspace.write(path, text, { overwrite: false });

describe("files", () => {
  test("what was written is read again, and belongs to its owner alone", async () => {
    expect(await write("drafts/2026/letter.md", "Liebe Grüße")).toEqual({ created: true });
    expect(await workspace.read("drafts/2026/letter.md")).toEqual({ text: "Liebe Grüße", bytes: 13 });
    expect((await stat(join(root, "drafts/2026/letter.md"))).mode & 0o777).toBe(0o600);
  });

  test("a file is replaced only when that is said", async () => {
    await write("a.txt", "first");
    await expect(write("a.txt", "second")).rejects.toMatchObject({ code: "resource.conflict" });
    expect((await workspace.read("a.txt")).text).toBe("first");
    expect(await workspace.write("a.txt", "second", { overwrite: true })).toEqual({ created: false });
    expect((await workspace.read("a.txt")).text).toBe("second");
    expect(readdirSync(root)).toEqual(["a.txt"]);
  });

  test("all of them are listed with their sizes, in order, without what is hidden", async () => {
    await write("b/c.txt", "four");
    await write("a.txt", "é");
    await writeFile(join(root, ".hidden"), "x");
    expect(await workspace.list(".")).toEqual([
      { path: "a.txt", type: "file", bytes: 2 },
      { path: "b", type: "folder", bytes: 0 },
      { path: "b/c.txt", type: "file", bytes: 4 },
    ]);
    expect(await workspace.list("b")).toEqual([{ path: "b/c.txt", type: "file", bytes: 4 }]);
  });

  test("one that is deleted is gone, and one that is not there is no fault", async () => {
    await write("a.txt");
    expect(await workspace.remove("a.txt")).toBe(true);
    expect(await workspace.remove("a.txt")).toBe(false);
    await expect(workspace.read("a.txt")).rejects.toMatchObject({ code: "resource.not_found" });
  });

  test.each([
    { name: "a folder read as a file", work: () => workspace.read("folder"), code: "auth.forbidden" },
    { name: "a folder written as a file", work: () => write("folder"), code: "request.invalid" },
    { name: "a file used as a folder", work: () => write("file/x"), code: "request.invalid" },
    { name: "a file listed as a folder", work: () => workspace.list("file"), code: "request.invalid" },
    { name: "bytes that are no text", work: () => workspace.read("bytes"), code: "request.invalid" },
    { name: "the workspace read as a file", work: () => workspace.read("."), code: "request.invalid" },
    { name: "a folder that is not there", work: () => workspace.list("nowhere"), code: "resource.not_found" },
  ])("$name is refused, without an absolute path in the message", async ({ work, code }) => {
    await mkdir(join(root, "folder"));
    await write("file");
    await writeFile(join(root, "bytes"), Buffer.from([0xff, 0xfe]));
    await expect(work()).rejects.toMatchObject({ code, message: expect.not.stringContaining(base) });
  });
});

describe("limits", () => {
  test("the largest file passes both ways, one byte more passes neither", async () => {
    const largest = "x".repeat(largestFileBytes);
    await write("largest", largest);
    expect((await workspace.read("largest")).bytes).toBe(largestFileBytes);
    await expect(write("larger", `${largest}x`)).rejects.toMatchObject({ code: "request.too_large" });
    await writeFile(join(root, "larger"), `${largest}x`);
    await expect(workspace.read("larger")).rejects.toMatchObject({ code: "request.too_large" });
  });

  test("a full workspace takes no new file, and still replaces one", async () => {
    await write("first");
    await mkdir(join(root, "many"));
    for (let number = 2; number < mostEntries; number += 1) mkdirSync(join(root, "many", `${number}`));
    workspace = await openWorkspace(root); // which counts what others have put there
    await expect(write("one-more")).rejects.toMatchObject({ code: "request.too_large" });
    expect(await workspace.write("first", "new", { overwrite: true })).toEqual({ created: false });
    expect(readdirSync(root)).toEqual(["first", "many"]);
  });
});

describe.each([
  { name: "held folders", hold: canHoldFolders },
  { name: "folders by their names", hold: false },
])("what leads out, with $name", ({ hold }) => {
  beforeEach(async () => {
    workspace = await openWorkspace(root, { hold });
  });

  const every = (path: string) => [
    { name: "read", work: () => workspace.read(path) },
    { name: "write", work: () => write(path, "overwritten") },
    { name: "overwrite", work: () => workspace.write(path, "overwritten", { overwrite: true }) },
    { name: "remove", work: () => workspace.remove(path) },
  ];
  const untouched = async (): Promise<void> => {
    expect(await readFile(join(outside, "secret.txt"), "utf8")).toBe("canary");
    expect(readdirSync(outside)).toEqual(["secret.txt"]);
  };

  test("a link to a file is refused for every use, wherever it leads", async () => {
    await write("inside.txt");
    await symlink(join(outside, "secret.txt"), join(root, "out"));
    await symlink("../outside/secret.txt", join(root, "relative"));
    await symlink(join(root, "inside.txt"), join(root, "in"));
    await symlink(join(outside, "new.txt"), join(root, "dangling"));
    for (const path of ["out", "relative", "in", "dangling"]) {
      for (const { work } of every(path)) await expect(work()).rejects.toMatchObject({ code: "auth.forbidden" });
    }
    await untouched();
  });

  test("a linked folder is refused for every use of what is below it", async () => {
    await symlink(outside, join(root, "folder"));
    for (const path of ["folder/secret.txt", "folder/new.txt", "folder/deep/new.txt"]) {
      for (const { work } of every(path)) await expect(work()).rejects.toMatchObject({ code: "auth.forbidden" });
    }
    await expect(workspace.list("folder")).rejects.toMatchObject({ code: "auth.forbidden" });
    expect(await workspace.list(".")).toEqual([]);
    await untouched();
  });

  test("a second name of a file outside is not read, and writing replaces the name only", async () => {
    linkSync(join(outside, "secret.txt"), join(root, "hard.txt"));
    await expect(workspace.read("hard.txt")).rejects.toMatchObject({ code: "auth.forbidden" });
    await workspace.write("hard.txt", "mine", { overwrite: true });
    await untouched();
  });

  test.skipIf(process.platform === "win32")("a pipe is refused at once, and not waited for", async () => {
    execFileSync("mkfifo", [join(root, "pipe")]);
    for (const { work } of every("pipe")) await expect(work()).rejects.toMatchObject({ code: "auth.forbidden" });
  });

  test.skipIf(process.platform === "win32")("a socket is refused", async () => {
    const server = createServer().listen(join(root, "socket"));
    await expect(workspace.read("socket")).rejects.toMatchObject({ code: "auth.forbidden" });
    server.close();
  });

  test("a workspace that is itself reached through a link is opened where it leads", async () => {
    await symlink(root, join(base, "linked"));
    const linked = await openWorkspace(join(base, "linked"));
    await linked.write("a.txt", "x", { overwrite: false });
    expect((await workspace.read("a.txt")).text).toBe("x");
  });
});

describe.runIf(canHoldFolders)("a link that comes and goes while a call is at work", () => {
  // Two folders of the same name in turn: the real one, and a link to the one outside.
  async function whileSwapping(work: (round: number) => Promise<void>): Promise<number> {
    const folder = join(root, "folder");
    const parked = join(root, "parked");
    mkdirSync(folder);
    await writeFile(join(folder, "secret.txt"), "mine");
    // A link does not give way to a folder, and a write may have made a folder in the moment between.
    const insist = (step: () => void): void => {
      for (;;) {
        try {
          return step();
        } catch {
          rmSync(folder, { recursive: true, force: true });
        }
      }
    };
    let swaps = 0;
    let isOver = false;
    const swapping = (async () => {
      while (!isOver) {
        renameSync(folder, parked);
        insist(() => symlinkSync(outside, folder));
        await nextTurn();
        insist(() => renameSync(parked, folder));
        swaps += 1;
        await nextTurn();
      }
    })();
    for (let round = 0; round < 300; round += 1) await work(round).catch(() => {});
    isOver = true;
    await swapping;
    return swaps;
  }

  test("never lets the file outside be read", async () => {
    const seen = new Set<string>();
    const swaps = await whileSwapping(async () => {
      seen.add((await workspace.read("folder/secret.txt")).text);
    });
    expect(swaps).toBeGreaterThan(50);
    expect(seen.has("canary")).toBe(false);
  });

  test("never lets a byte be written outside", async () => {
    await whileSwapping(async (round) => {
      await workspace.write(`folder/${round % 2 === 0 ? "secret" : "new"}.txt`, "overwritten", { overwrite: true });
    });
    const contents = await Promise.all(readdirSync(outside).map((name) => readFile(join(outside, name), "utf8")));
    expect(contents.join()).not.toContain("overwritten");
    expect(await readFile(join(outside, "secret.txt"), "utf8")).toBe("canary");
  });
});
