import { execFileSync } from "node:child_process";
import { portkeyMissing } from "./lanes/portkey.ts";

/** Installs what only the bench needs, when it is not there; without a registry its lanes are skipped by name. */
export function installPeers(tell: (line: string) => void): void {
  if (portkeyMissing() === undefined) return;
  tell("Installing the packages of bench/ (only this first time)");
  try {
    execFileSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
      cwd: import.meta.dirname,
      stdio: ["ignore", "ignore", "inherit"],
    });
  } catch {
    tell("They could not be installed.");
  }
}
