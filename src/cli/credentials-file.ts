import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { GatewayError } from "../kernel/errors.ts";
import { parseJson } from "../kernel/parse-json.ts";
import { readPrivateFile, writePrivateFile } from "../store/private-file.ts";

const loginSchema = z.strictObject({
  token: z.string(),
  /** Of the access token; absent where it was given and not made here. */
  id: z.string().optional(),
});
const fileSchema = z.record(z.string(), loginSchema);

/** What `gatehouse login` has kept for one control plane. */
export type StoredLogin = z.output<typeof loginSchema>;

/** The login at an address; undefined where there is none. Throws `config.invalid` for a file that others may read. */
export async function findLogin(path: string | undefined, base: string): Promise<StoredLogin | undefined> {
  if (path === undefined) return undefined;
  const logins = await readLogins(path);
  const key = keyOf(base);
  return Object.hasOwn(logins, key) ? logins[key] : undefined;
}

/** Keeps the login at an address in place of any before, in a file that only its owner can read; undefined takes it away. */
export async function storeLogin(
  path: string | undefined,
  base: string,
  login: StoredLogin | undefined,
): Promise<void> {
  if (path === undefined) {
    throw new GatewayError("config.invalid", "There is no home directory to keep a login in; use GATEHOUSE_TOKEN.");
  }
  const { [keyOf(base)]: _before, ...others } = await readLogins(path);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writePrivateFile(
    path,
    `${JSON.stringify(login ? { ...others, [keyOf(base)]: login } : others, undefined, 2)}\n`,
  );
}

async function readLogins(path: string): Promise<z.output<typeof fileSchema>> {
  const text = await readPrivateFile(path);
  if (text === undefined) return {};
  try {
    return fileSchema.parse(parseJson(text));
  } catch (cause) {
    throw new GatewayError("config.invalid", `${path} cannot be read. Delete it, then: gatehouse login`, { cause });
  }
}

function keyOf(base: string): string {
  return new URL(base).origin;
}
