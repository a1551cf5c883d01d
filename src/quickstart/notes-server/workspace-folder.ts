import { constants, existsSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { lstat, mkdir, open, realpath } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "../../kernel/errors.ts";

/** A folder of the workspace that was reached without following a link. */
export interface WorkspaceFolder extends AsyncDisposable {
  /** A path for the folder itself. */
  readonly path: string;
  /** A path for a name in it. */
  at(name: string): string;
  /** Throws `auth.forbidden` unless the open file is a plain one in this folder, with no second name elsewhere. */
  assertHolds(file: FileHandle, name: string): Promise<void>;
}

/** Whether this system shows open files as paths, so that a folder can be held while its path changes. */
export const canHoldFolders = existsSync("/proc/self/fd");

// Not there on Windows, where making a link asks for a right that few have.
export const noFollow = constants.O_NOFOLLOW ?? 0;

/**
 * Goes down from the root by names, and makes the folders that are missing when `make` says so. Where folders can be
 * held (Linux), each step starts from the open folder above, so a link that is put in the way at any moment is met and
 * refused, not followed. Elsewhere each folder's real path is compared before and after use, which a link that comes
 * and goes between the two can pass.
 */
export async function openWorkspaceFolder(
  root: string,
  names: readonly string[],
  { make, hold }: { readonly make: boolean; readonly hold: boolean },
): Promise<WorkspaceFolder> {
  let folder = hold ? await heldFolder(root) : await namedFolder(root);
  for (const name of names) {
    await using above = folder;
    if (make) await makeFolder(above.at(name));
    folder = hold ? await heldFolder(above.at(name)) : await namedFolder(above.at(name));
  }
  return folder;
}

async function heldFolder(path: string): Promise<WorkspaceFolder> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | noFollow).catch(
    async (error: unknown) => {
      if ((await lstat(path)).isSymbolicLink()) throw refusedLink();
      throw error;
    },
  );
  const held = `/proc/self/fd/${handle.fd}`;
  return {
    path: held,
    at: (name) => `${held}/${name}`,
    assertHolds: assertPlain,
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

async function namedFolder(path: string): Promise<WorkspaceFolder> {
  await assertUnlinked(path);
  if (!(await lstat(path)).isDirectory()) throw new GatewayError("request.invalid", "The path is no folder.");
  return {
    path,
    at: (name) => join(path, name),
    async assertHolds(file, name) {
      await assertPlain(file);
      const [opened, named] = [await file.stat(), await lstat(join(path, name))];
      await assertUnlinked(join(path, name));
      if (named.ino !== opened.ino || named.dev !== opened.dev) throw refusedLink();
    },
    async [Symbol.asyncDispose]() {},
  };
}

async function assertPlain(file: FileHandle): Promise<void> {
  const opened = await file.stat();
  if (!opened.isFile()) throw refusedSpecial();
  if (opened.nlink !== 1) throw refusedLink();
}

async function assertUnlinked(path: string): Promise<void> {
  if ((await realpath(path)) !== path) throw refusedLink();
}

async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  });
}

/** The refusal of a path that goes through a symbolic link, or leads to a file with several names. */
export function refusedLink(): GatewayError {
  return new GatewayError("auth.forbidden", "The path leads through a link, and links are not followed.");
}

/** The refusal of devices, pipes, sockets and the like. */
export function refusedSpecial(): GatewayError {
  return new GatewayError("auth.forbidden", "The path leads to something that is no plain file.");
}
