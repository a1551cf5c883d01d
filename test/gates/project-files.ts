import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The repository's root, with a trailing slash. */
export const projectRoot = join(import.meta.dirname, "../../");

const generated = new Set(["node_modules", "dist", "coverage", ".git", ".gatehouse", ".DS_Store"]);

/** The project's files whose path (relative to the root) matches, sorted; nothing that running it leaves behind. */
export function projectFiles(pattern: RegExp): readonly string[] {
  return filesBelow("").filter((file) => pattern.test(file) && !file.endsWith(".log"));
}

export function readProjectFile(file: string): string {
  return readFileSync(join(projectRoot, file), "utf8");
}

/** What git lists, ignored files left out; undefined where the project is no checkout. */
export function gitFiles(pattern: RegExp): readonly string[] | undefined {
  if (!existsSync(join(projectRoot, ".git"))) return undefined;
  const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const listed = execFileSync("git", args, { cwd: projectRoot, encoding: "utf8" }).split("\0");
  const present = [...new Set(listed)].filter((file) => file !== "" && existsSync(join(projectRoot, file)));
  return present.filter((file) => pattern.test(file)).toSorted();
}

function filesBelow(folder: string): readonly string[] {
  const entries = readdirSync(join(projectRoot, folder), { withFileTypes: true });
  return entries
    .filter((entry) => !generated.has(entry.name))
    .flatMap((entry) => {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      return entry.isDirectory() ? filesBelow(path) : [path];
    })
    .toSorted();
}
