import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

vi.setConfig({ testTimeout: 30_000 });

const bin = join(import.meta.dirname, "../../bin");
let copy = "";

beforeEach(() => {
  copy = mkdtempSync(join(tmpdir(), "gatehouse-warm-"));
  cpSync(bin, join(copy, "bin"), { recursive: true });
  mkdirSync(join(copy, "src/cli"), { recursive: true });
  mkdirSync(join(copy, "node_modules"));
  writeFileSync(join(copy, "package.json"), '{ "type": "module" }');
  // A program that needs one file at once and another only later, and says whether it had to strip types for them.
  source("cli.ts", 'export const runCli = async (): Promise<void> => (await import("./cli/start.ts")).start();');
  source(
    "cli/start.ts",
    `import { sum } from "../sum.ts";
     export const start = async (): Promise<void> => {
       const { later } = await import("../later.ts");
       const stripped = process.moduleLoadList.some((name: string) => name.includes("amaro"));
       console.log(stripped ? "stripped" : "cached", sum(1, 2), later);
     };`,
  );
  source("sum.ts", "export const sum = (a: number, b: number): number => a + b;");
  source("later.ts", "export const later: number = 4;");
});

afterEach(() => rmSync(copy, { recursive: true, force: true }));

test("the first process that serves strips no types, neither at the start nor later", () => {
  expect(start()).toBe("cached 3 4\n");
  expect(stamps()).toHaveLength(1);
});

test("what is in the cache already is not loaded again", () => {
  start();
  const beacon = join(copy, "loaded");
  // As long as no source has changed, nobody may run what would fill the cache.
  writeFileSync(join(copy, "bin/load-everything.cjs"), `require("fs").writeFileSync(${JSON.stringify(beacon)}, "");`);
  expect(start()).toBe("cached 3 4\n");
  expect(existsSync(beacon)).toBe(false);
  source("later.ts", "export const later: number = 5_000;");
  start();
  expect(existsSync(beacon)).toBe(true);
});

test("a source that has changed is stripped before the process that serves begins", () => {
  start();
  source("later.ts", "export const later: number = 5_000;");
  expect(start()).toBe("cached 3 5000\n");
});

test("each set of V8's flags has a cache of its own, and it is filled too", () => {
  start();
  expect(start({ NODE_OPTIONS: "--max-semi-space-size=16" })).toBe("cached 3 4\n");
  expect(stamps()).toHaveLength(2);
});

test("a cache that somebody has placed elsewhere is the one that is filled", () => {
  const elsewhere = join(copy, "elsewhere");
  expect(start({ NODE_COMPILE_CACHE: elsewhere })).toBe("cached 3 4\n");
  expect(stamps(elsewhere)).toHaveLength(1);
  expect(stamps()).toHaveLength(0);
});

test("a source that cannot be loaded is the start's to tell of, and leaves no stamp", () => {
  source("unused.ts", "export const broken: = 1;");
  source("sum.ts", 'export { broken } from "./unused.ts";');
  expect(start()).toBe("");
  expect(stamps()).toHaveLength(0);
});

test("it starts without a cache where none may be or none can be written", () => {
  expect(start({ NODE_DISABLE_COMPILE_CACHE: "1" })).toBe("stripped 3 4\n");
  writeFileSync(join(copy, "node_modules/.cache"), "a file in the folder's place");
  expect(start()).toBe("stripped 3 4\n");
});

test("it starts where the cache may be read and not written", () => {
  start();
  source("later.ts", "export const later: number = 6;");
  const [folder = ""] = stamps();
  chmodSync(join(folder, ".."), 0o500);
  const printed = start();
  chmodSync(join(folder, ".."), 0o700);
  expect(printed).toMatch(/^(cached|stripped) 3 6\n$/); // an administrator may write all the same
});

function source(name: string, text: string): void {
  writeFileSync(join(copy, "src", name), `${text}\n`);
}

/** What `start` prints, in a process of its own. */
function start(env: Readonly<Record<string, string>> = {}): string {
  const { stdout } = spawnSync(process.execPath, [join(copy, "bin/gatehouse.cjs"), "start"], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"], ...env },
  });
  return stdout;
}

/** The stamps of caches that were filled, and that each is a stamp. */
function stamps(folder = join(copy, "node_modules/.cache/gatehouse")): readonly string[] {
  if (!existsSync(folder)) return [];
  const found = readdirSync(folder).map((name) => join(folder, name, "sources"));
  for (const stamp of found.filter(existsSync)) expect(readFileSync(stamp, "utf8")).toMatch(/^[0-9a-f]{64}$/);
  return found.filter(existsSync);
}
