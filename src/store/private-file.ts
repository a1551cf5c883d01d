import { randomBytes } from "node:crypto";
import { open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { GatewayError } from "../kernel/errors.ts";

/**
 * Writes a file that only its owner can read (0600), whole or not at all: a reader, and a restart after a crash, finds
 * the old content or the new.
 */
export async function writePrivateFile(path: string, content: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    await using file = await open(temporary, "wx", 0o600);
    await file.writeFile(content);
    await file.sync();
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await rename(temporary, path);
  await using directory = await open(dirname(path), "r");
  await directory.sync();
}

/**
 * The content of a file that only its owner may read; undefined when there is none. Throws `config.invalid`, with the
 * command that mends it, when the group or others may read it. Systems without such modes are not checked.
 */
export async function readPrivateFile(path: string): Promise<string | undefined> {
  try {
    const { mode } = await stat(path);
    if (process.platform !== "win32" && (mode & 0o077) !== 0) {
      throw new GatewayError(
        "config.invalid",
        `${path} can be read by others (mode ${(mode & 0o777).toString(8)}). If that was a mistake: chmod 600 ${path}. If others may have seen it, make a new one.`,
      );
    }
    return await readFile(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
