import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Packages that only some tests need, in a folder with a `package.json` and lock file of its own. */
export interface TestPackages {
  /**
   * Installs them when they are not there. On a build machine a failure throws; anywhere else the tests that need them
   * are skipped, and their names tell.
   */
  install(): Promise<void>;
  /** Whether everything that the lock file names is there. */
  areInstalled(): boolean;
}

export function testPackages(folder: string): TestPackages {
  const stampFile = join(folder, "node_modules/.gatehouse-installed");
  const lockHash = (): string =>
    createHash("sha256")
      .update(readFileSync(join(folder, "package-lock.json")))
      .digest("hex");
  const areInstalled = (): boolean => existsSync(stampFile) && readFileSync(stampFile, "utf8") === lockHash();
  return {
    areInstalled,
    async install() {
      if (areInstalled()) return;
      let failure = await runNpm(folder, ["ci"]);
      // A registry that has some platforms' packages only makes lock files that `ci` refuses elsewhere.
      if (failure?.includes("EUSAGE")) failure = await runNpm(folder, ["install", "--no-save"]);
      if (failure === undefined) writeFileSync(stampFile, lockHash());
      else if (process.env["CI"]) throw new Error(`${folder} could not be installed: ${failure}`);
    },
  };
}

/** npm's own words when it failed; undefined when all is there. */
function runNpm(folder: string, command: readonly string[]): Promise<string | undefined> {
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
