import { randomBytes } from "node:crypto";
import type { Dirent, Stats } from "node:fs";
import { constants } from "node:fs";
import { lstat, open, readdir, realpath, rename, rm } from "node:fs/promises";
import { GatewayError } from "../../kernel/errors.ts";
import { createLanes } from "./create-lanes.ts";
import type { WorkspaceFolder } from "./workspace-folder.ts";
import { canHoldFolders, noFollow, openWorkspaceFolder, refusedLink, refusedSpecial } from "./workspace-folder.ts";
import { parseWorkspacePath } from "./workspace-path.ts";

/** A file or a folder below the workspace. */
export interface WorkspaceEntry {
  /** With `/` between names, whatever the system. */
  readonly path: string;
  readonly type: "file" | "folder";
  /** Of a file; 0 for a folder. */
  readonly bytes: number;
}

/**
 * The files below one folder and none beside it. Paths are those of `parseWorkspacePath`; symbolic and hard links,
 * devices, pipes and sockets are refused wherever they stand in a path, and on Linux also when they are put there while
 * a call is at work. Throws `request.invalid`, `request.too_large`, `resource.not_found`, `resource.conflict`,
 * `auth.forbidden`, `store.unavailable`; no message has an absolute path in it.
 */
export interface Workspace {
  /** The text of a UTF-8 file of at most `largestFileBytes`. */
  read(path: string): Promise<{ readonly text: string; readonly bytes: number }>;
  /**
   * Writes a whole file or nothing, and makes the folders above it. Without `overwrite` a file that is there is
   * `resource.conflict`.
   */
  write(path: string, text: string, options: { readonly overwrite: boolean }): Promise<{ readonly created: boolean }>;
  /** Everything below a folder in the order of path, at most `mostEntries`; links and special files are left out. */
  list(path: string): Promise<readonly WorkspaceEntry[]>;
  /** Deletes a file. False when there is none. */
  remove(path: string): Promise<boolean>;
}

/** The largest file that is read or written. */
export const largestFileBytes = 262_144;

/** The most files and folders that the workspace takes. */
export const mostEntries = 2_000;

/** Opens the workspace at a folder, which must be there. Its own path may go through links; nothing below it may. */
export async function openWorkspace(folder: string, { hold } = { hold: canHoldFolders }): Promise<Workspace> {
  const root: Root = { path: await realpath(folder), hold, room: 0 };
  const reading = createLanes(8); // however many callers there are, memory and open files stay few
  const writing = createLanes(1); // so that the count of what is there is still true when one more is added
  return {
    read: (path) => translated(() => reading(() => readText(root, parseFilePath(path)))),
    write: (path, text, { overwrite }) =>
      translated(() => writing(() => writeText(root, parseFilePath(path), text, overwrite))),
    list: (path) => translated(() => reading(() => listBelow(root, parseWorkspacePath(path)))),
    remove: (path) => translated(() => writing(() => removeFile(root, parseFilePath(path)))),
  };
}

interface Root {
  readonly path: string;
  readonly hold: boolean;
  /** Entries that may be added before everything is counted again. */
  room: number;
}

interface FilePath {
  readonly folders: readonly string[];
  readonly name: string;
}

function parseFilePath(path: string): FilePath {
  const folders = parseWorkspacePath(path);
  const name = folders.at(-1);
  if (name !== undefined) return { folders: folders.slice(0, -1), name };
  throw new GatewayError("request.invalid", "The path must name a file.", { param: "path" });
}

const noWait = constants.O_NONBLOCK ?? 0; // a pipe would be waited for

async function readText(root: Root, { folders, name }: FilePath): Promise<{ text: string; bytes: number }> {
  await using folder = await openWorkspaceFolder(root.path, folders, { make: false, hold: root.hold });
  await using file = await open(folder.at(name), constants.O_RDONLY | noFollow | noWait);
  await folder.assertHolds(file, name);
  const { size } = await file.stat();
  if (size > largestFileBytes) throw tooLarge();
  const buffer = Buffer.alloc(size);
  const { bytesRead } = await file.read(buffer, 0, size, 0);
  return { text: decode(buffer.subarray(0, bytesRead)), bytes: bytesRead };
}

// The content goes to a file of a name that nobody knows, and takes its own name when it is whole. What stands under
// that name is replaced and never opened, so a link put there meanwhile is lost and not followed.
async function writeText(
  root: Root,
  { folders, name }: FilePath,
  text: string,
  overwrite: boolean,
): Promise<{ created: boolean }> {
  const content = Buffer.from(text, "utf8");
  if (content.length > largestFileBytes) throw tooLarge();
  await using folder = await openWorkspaceFolder(root.path, folders, { make: true, hold: root.hold });
  const before = await plainFile(folder, name);
  if (before !== undefined && !overwrite) {
    throw new GatewayError("resource.conflict", "There is a file of that name already; say `overwrite` to replace it.");
  }
  if (before === undefined) await takeRoom(root, folders.length + 1);
  const temporary = `.${randomBytes(12).toString("hex")}.tmp`;
  const creating = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | noFollow;
  try {
    await using file = await open(folder.at(temporary), creating, 0o600);
    await folder.assertHolds(file, temporary);
    await file.writeFile(content);
    await rename(folder.at(temporary), folder.at(name));
  } catch (error) {
    await rm(folder.at(temporary), { force: true });
    throw error;
  }
  return { created: before === undefined };
}

async function removeFile(root: Root, { folders, name }: FilePath): Promise<boolean> {
  await using folder = await openWorkspaceFolder(root.path, folders, { make: false, hold: root.hold });
  if ((await plainFile(folder, name)) === undefined) return false;
  await rm(folder.at(name));
  return true;
}

async function listBelow(root: Root, names: readonly string[]): Promise<readonly WorkspaceEntry[]> {
  const found: WorkspaceEntry[] = [];
  for await (const { folder, entry, path } of walk(root, names)) {
    if (found.length >= mostEntries) break;
    const isFile = entry.isFile();
    const bytes = isFile ? (await lstat(folder.at(entry.name))).size : 0;
    found.push({ path, type: isFile ? "file" : "folder", bytes });
  }
  return found.toSorted((left, right) => (left.path < right.path ? -1 : 1));
}

interface Step {
  readonly folder: WorkspaceFolder;
  readonly entry: Dirent;
  readonly path: string;
}

async function* walk(root: Root, names: readonly string[]): AsyncGenerator<Step> {
  const waiting: (readonly string[])[] = [names];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    await using folder = await openWorkspaceFolder(root.path, next, { make: false, hold: root.hold });
    for (const entry of await readdir(folder.path, { withFileTypes: true })) {
      if (entry.name.startsWith(".") || (!entry.isFile() && !entry.isDirectory())) continue;
      const below = [...next, entry.name];
      if (entry.isDirectory()) waiting.push(below);
      yield { folder, entry, path: below.join("/") };
    }
  }
}

async function plainFile(folder: WorkspaceFolder, name: string): Promise<Stats | undefined> {
  const found = await lstat(folder.at(name)).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  });
  if (found === undefined) return undefined;
  if (found.isSymbolicLink()) throw refusedLink();
  if (found.isDirectory()) throw new GatewayError("request.invalid", "The path is a folder.", { param: "path" });
  if (!found.isFile()) throw refusedSpecial();
  return found;
}

async function takeRoom(root: Root, entries: number): Promise<void> {
  if (root.room < entries) {
    root.room = mostEntries;
    for await (const _step of walk(root, [])) root.room -= 1;
  }
  if (root.room <= 0) {
    throw new GatewayError("request.too_large", `The workspace holds ${mostEntries} files and folders, and is full.`);
  }
  root.room -= entries;
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new GatewayError("request.invalid", "The file is not UTF-8 text.");
  }
}

function tooLarge(): GatewayError {
  return new GatewayError("request.too_large", `A file may have ${largestFileBytes} bytes at most.`);
}

async function translated<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    switch (codeOf(error)) {
      case "ENOENT":
        throw new GatewayError("resource.not_found", "There is no such file or folder.");
      case "ELOOP":
      case "EMLINK":
        throw refusedLink();
      case "ENXIO":
      case "ENODEV":
        throw refusedSpecial();
      case "ENOTDIR":
      case "EISDIR":
        throw new GatewayError("request.invalid", "A folder is taken for a file, or a file for a folder.");
      default:
        throw new GatewayError("store.unavailable", "The workspace cannot be used right now.", { cause: error });
    }
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
