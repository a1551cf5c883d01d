import { glob, readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { GatewayError } from "../../kernel/errors.ts";

/** A file that was found. */
export interface FoundFile {
  /** As it was named, or below the folder that was. */
  readonly path: string;
  /** Somebody has named it, rather than a folder or a pattern. */
  readonly isNamed: boolean;
}

/**
 * The files that a path, a folder or a pattern (`apis/**\/*.yaml`) stands for, in order. Of a folder those that may be YAML
 * or JSON, without hidden ones and without `node_modules`. Throws `resource.not_found` where there is none.
 */
export async function findFiles(target: string, cwd: string): Promise<readonly FoundFile[]> {
  const found = await stat(resolve(cwd, target)).catch(() => undefined);
  if (found?.isDirectory() === true) return some(target, (await filesBelow(target, cwd)).map(unnamed));
  if (found !== undefined) return [{ path: target, isNamed: true }];
  if (!/[*?[{]/.test(target)) throw new GatewayError("resource.not_found", `There is no file or directory ${target}.`);
  const isSkipped = (name: string): boolean => name.split(/[\\/]/).some(isLeftOut);
  const paths = await Array.fromAsync(glob(target, { cwd, exclude: isLeftOut }));
  const files = paths.filter((path) => !isSkipped(path.replace(/^\.{1,2}[\\/]/, "")) && isData(path));
  return some(target, files.toSorted().map(unnamed));
}

async function filesBelow(folder: string, cwd: string): Promise<readonly string[]> {
  const entries = await readdir(resolve(cwd, folder), { withFileTypes: true });
  const kept = entries
    .filter(({ name }) => !isLeftOut(name))
    .toSorted((left, right) => (left.name < right.name ? -1 : 1));
  const lists = kept.map((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path, cwd); // a link to a folder is none: it may lead back here
    return Promise.resolve(isData(entry.name) && entry.isFile() ? [path] : []);
  });
  return (await Promise.all(lists)).flat();
}

function isLeftOut(name: string): boolean {
  return name === "node_modules" || (name.startsWith(".") && name !== "." && name !== "..");
}

function isData(path: string): boolean {
  return /\.(?:ya?ml|json)$/i.test(path);
}

function unnamed(path: string): FoundFile {
  return { path, isNamed: false };
}

function some(target: string, files: readonly FoundFile[]): readonly FoundFile[] {
  if (files.length > 0) return files;
  throw new GatewayError("resource.not_found", `There is no YAML or JSON file in ${target}.`);
}
