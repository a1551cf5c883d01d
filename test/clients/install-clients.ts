import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const folder = import.meta.dirname;
const stampFile = join(folder, "node_modules/.gatehouse-installed");

/**
 * Installs other people's clients, servers and suites, which only the tests of this folder need, when they are not
 * there. On a build machine a failure throws; anywhere else the tests that need them are skipped, and their names tell.
 */
export async function setup(): Promise<void> {
  if (clientsAreInstalled()) return;
  let failure = await runNpm(["ci"]);
  // A registry that has some platforms' packages only makes lock files that `ci` refuses elsewhere.
  if (failure?.includes("EUSAGE")) failure = await runNpm(["install", "--no-save"]);
  if (failure === undefined) writeFileSync(stampFile, lockHash());
  else if (process.env["CI"]) throw new Error(`test/clients could not be installed: ${failure}`);
}

/** Whether everything that test/clients/package-lock.json names is there. */
export function clientsAreInstalled(): boolean {
  return existsSync(stampFile) && readFileSync(stampFile, "utf8") === lockHash();
}

/** Absolute path of a file of an installed package: `conformance-next/dist/index.js`. */
export function clientFile(path: string): string {
  return join(folder, "node_modules", path);
}

/** npm's own words when it failed; undefined when all is there. */
function runNpm(command: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    const args = [...command, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    const child = spawn("npm", args, { cwd: folder, shell: process.platform === "win32" });
    let output = "";
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString("utf8")).slice(-2_000);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code) => resolve(code === 0 ? undefined : output));
  });
}

function lockHash(): string {
  return createHash("sha256")
    .update(readFileSync(join(folder, "package-lock.json")))
    .digest("hex");
}
