import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { TestApi, TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { startMockUpstream } from "../kit/mock-upstream.ts";

let upstream: MockUpstream;
let gatehouse: TestGatehouse;
let api: TestApi;

beforeEach(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  api = await gatehouse.llm("a", `${upstream.url}/v1`);
});
afterEach(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const withoutMounts = process.platform !== "linux" || process.getuid?.() !== 0 || !mayMount();

function mayMount(): boolean {
  const path = mkdtempSync(join(tmpdir(), "gatehouse-mount-"));
  const isMounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", path]).status === 0;
  if (isMounted) spawnSync("umount", [path]);
  rmdirSync(path);
  return isMounted;
}

/** A disk of some megabytes in memory. */
async function mountSmallDisk() {
  const path = await mkdtemp(join(tmpdir(), "gatehouse-disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m,mode=0700", "tmpfs", path]);
  const filler = join(path, "filler");
  return {
    path,
    fill: () => writeFile(filler, Buffer.alloc(16_777_216)).catch(() => {}), // as much of it as there is room for
    empty: () => rm(filler),
    async [Symbol.asyncDispose]() {
      execFileSync("umount", [path]);
      await rm(path, { recursive: true });
    },
  };
}

async function call({ url, key } = api): Promise<number> {
  const response = await fetch(`${url}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "Hello" }] }),
  });
  await response.arrayBuffer();
  return response.status;
}

async function write(name: string, to = gatehouse): Promise<{ readonly status: number; readonly code: unknown }> {
  const { running } = to;
  const response = await fetch(`${running.controlUrl}/api/v1/teams`, {
    method: "POST",
    headers: { authorization: `Bearer ${running.adminToken}`, "content-type": "application/json" },
    body: JSON.stringify({ metadata: { name }, spec: {} }),
  });
  const body: unknown = await response.json();
  const code = typeof body === "object" && body !== null && "code" in body ? body.code : undefined;
  return { status: response.status, code };
}

test("while another process holds the catalog's lock, known keys go on and a write is told to come back", async () => {
  expect(await call()).toBe(200);
  const other = new DatabaseSync(gatehouse.running.dataDirectory.catalogPath);
  other.exec("BEGIN EXCLUSIVE");
  try {
    for (let request = 0; request < 5; request += 1) expect(await call()).toBe(200);
    expect(await write("locked-out")).toEqual({ status: 503, code: "store.unavailable" });
    expect(await call()).toBe(200);
    expect(await call({ ...api, key: `${api.key.slice(0, -1)}${api.key.endsWith("x") ? "y" : "x"}` })).toBe(401);
    expect((await fetch(`${gatehouse.running.gatewayUrl}/readyz`)).status).toBe(200);
  } finally {
    other.exec("ROLLBACK");
    other.close();
  }
  expect((await write("back-again")).status).toBe(201);
});

test.skipIf(withoutMounts)(
  "on a full disk known keys go on, a write says why it failed, and works when there is room",
  async () => {
    await using disk = await mountSmallDisk();
    await using small = await startTestGatehouse({ dataDir: disk.path });
    const own = await small.llm("a", `${upstream.url}/v1`);
    expect(await call(own)).toBe(200);
    await disk.fill();
    for (let request = 0; request < 20; request += 1) expect(await call(own)).toBe(200);
    // What fits into the pages that the log of the catalog has already is still written.
    const answers = [];
    for (let team = 0; team < 200 && answers.at(-1)?.status !== 503; team += 1)
      answers.push(await write(`t-${team}`, small));
    expect(answers.at(-1)).toEqual({ status: 503, code: "store.unavailable" });
    expect(JSON.stringify(small.log.lines)).toMatch(/disk is full|no space/i);
    expect(await call(own)).toBe(200);
    await disk.empty();
    expect((await write("room-again", small)).status).toBe(201);
  },
);

test("a catalog whose file is gone keeps no known key out", async () => {
  const { catalogPath } = gatehouse.running.dataDirectory;
  const aside = await mkdtemp(join(tmpdir(), "gatehouse-aside-"));
  try {
    for (const suffix of ["", "-wal", "-shm"]) {
      await rename(catalogPath + suffix, join(aside, `catalog${suffix}`)).catch(() => {});
    }
    for (let request = 0; request < 5; request += 1) expect(await call()).toBe(200);
    expect(await call({ ...api, key: "gh_unknown" })).toBe(401);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
});
