import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { dataPaths, findDataHolder, openDataDirectory } from "../../src/store/data-directory.ts";
import { manualClock } from "../kit/manual-clock.ts";

let root: string;
let path: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "gatehouse-data-"));
  path = join(root, "data");
});

afterEach(() => rm(root, { recursive: true, force: true }));

const mode = async (file: string): Promise<number> => (await stat(file)).mode & 0o777;

describe("the lock", () => {
  test("a second opener is told who holds the directory, since when, and what to do", async () => {
    await using held = await openDataDirectory(path, manualClock(Date.UTC(2026, 4, 1)));
    await expect(openDataDirectory(held.path)).rejects.toMatchObject({
      code: "store.unavailable",
      message: expect.stringMatching(
        new RegExp(`process ${process.pid}, since 2026-05-01T00:00:00.000Z.*Stop that process.*--data`),
      ),
    });
  });

  test("the holder is found while it lives, with what it announced, and not afterwards", async () => {
    expect(findDataHolder(path)).toBeUndefined();
    {
      await using held = await openDataDirectory(path);
      await held.announce({ gatewayUrl: "http://127.0.0.1:1", controlUrl: "http://127.0.0.1:2" });
      expect(findDataHolder(path)).toMatchObject({ pid: process.pid, controlUrl: "http://127.0.0.1:2" });
    }
    expect(findDataHolder(path)).toBeUndefined();
    await using again = await openDataDirectory(path);
    expect(again.path).toBe(path);
  });

  test("a holder that was killed leaves no lock behind", async () => {
    const source = `
      import { openDataDirectory } from ${JSON.stringify(new URL("../../src/store/data-directory.ts", import.meta.url).href)};
      await openDataDirectory(${JSON.stringify(path)});
      process.stdout.write("held");
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", source], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    await expect(openDataDirectory(path)).rejects.toMatchObject({
      message: expect.stringContaining(`process ${child.pid}`),
    });
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(findDataHolder(path)).toBeUndefined();
    await using mine = await openDataDirectory(path);
    expect(JSON.parse(await readFile(join(mine.path, "lock.json"), "utf8"))).toMatchObject({ pid: process.pid });
  });

  test("a path that is no directory is refused with the reason", async () => {
    await writeFile(path, "");
    await expect(openDataDirectory(path)).rejects.toMatchObject({ code: "store.unavailable" });
  });
});

describe("what only the owner may read", () => {
  test("the directory is 0700, and the key and the token are 0600", async () => {
    await using data = await openDataDirectory(path);
    await data.encryptionKey({ configured: undefined, production: false });
    await data.adminToken({ configured: undefined, production: false });
    expect(await mode(path)).toBe(0o700);
    expect(await mode(data.encryptionKeyPath)).toBe(0o600);
    expect(await mode(data.adminTokenPath)).toBe(0o600);
  });

  test.each([0o640, 0o604, 0o660])("a key file of mode %o is refused with the command that mends it", async (bits) => {
    await using data = await openDataDirectory(path);
    await data.encryptionKey({ configured: undefined, production: false });
    await chmod(data.encryptionKeyPath, bits);
    await expect(data.encryptionKey({ configured: undefined, production: false })).rejects.toMatchObject({
      code: "config.invalid",
      message: expect.stringContaining(`chmod 600 ${data.encryptionKeyPath}`),
    });
  });
});

describe("credentials", () => {
  test("the same key and token are found at the next start", async () => {
    const open = async (): Promise<string[]> => {
      await using data = await openDataDirectory(path);
      const options = { configured: undefined, production: false };
      return [(await data.encryptionKey(options)).value, (await data.adminToken(options)).value];
    };
    const first = await open();
    expect(first[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(first[0]).not.toBe(first[1]);
    expect(await open()).toEqual(first);
  });

  test("a configured key is used and no file is made", async () => {
    await using data = await openDataDirectory(path);
    const configured = "ab".repeat(32);
    expect(await data.encryptionKey({ configured, production: true })).toEqual({
      value: configured,
      source: "configuration",
    });
    await expect(stat(data.encryptionKeyPath)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("production makes neither, and says how to make each", async () => {
    await using data = await openDataDirectory(path);
    const options = { configured: undefined, production: true };
    for (const [ask, variable] of [
      [data.encryptionKey(options), "GATEHOUSE_ENCRYPTION_KEY"],
      [data.adminToken(options), "GATEHOUSE_ADMIN_TOKEN"],
    ] as const) {
      await expect(ask).rejects.toMatchObject({
        code: "config.invalid",
        message: expect.stringMatching(new RegExp(`${variable}.*openssl rand -hex 32`)),
      });
    }
  });

  test("production takes a key from a private file", async () => {
    await using data = await openDataDirectory(path);
    await writeFile(data.encryptionKeyPath, `${"cd".repeat(32)}\n`, { mode: 0o600 });
    expect(await data.encryptionKey({ configured: undefined, production: true })).toMatchObject({ source: "file" });
  });

  test("no new key is made beside a catalog that was sealed with another", async () => {
    (await openDataDirectory(path))[Symbol.asyncDispose]();
    await writeFile(dataPaths(path).catalogPath, "");
    await using data = await openDataDirectory(path);
    await expect(data.encryptionKey({ configured: undefined, production: false })).rejects.toMatchObject({
      message: expect.stringContaining("Put that file back"),
    });
  });

  test("a key file with something else in it is refused without its content", async () => {
    await using data = await openDataDirectory(path);
    await writeFile(data.encryptionKeyPath, "not-a-key", { mode: 0o600 });
    const refusal = await data
      .encryptionKey({ configured: undefined, production: false })
      .catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: "config.invalid" });
    expect(String(refusal)).not.toContain("not-a-key");
  });
});
