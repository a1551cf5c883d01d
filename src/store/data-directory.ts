import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import type { Clock } from "../kernel/clock.ts";
import { systemClock } from "../kernel/clock.ts";
import { GatewayError } from "../kernel/errors.ts";
import { parseJson } from "../kernel/parse-json.ts";
import { readPrivateFile, writePrivateFile } from "./private-file.ts";

/** Where things are in a data directory. */
export interface DataPaths {
  readonly path: string;
  readonly catalogPath: string;
  readonly spoolPath: string;
  /** What the replay of the spool keeps: how far it is, and configurations that wait. */
  readonly replayPath: string;
  /** The embedded ClickHouse's. */
  readonly clickhousePath: string;
  readonly encryptionKeyPath: string;
  /** Keys that are in use no more, for backups from before. */
  readonly droppedKeysPath: string;
  readonly adminTokenPath: string;
  readonly quickstartPath: string;
  /** Vectors that were made of texts; can be lost. */
  readonly vectorsPath: string;
  /** What is counted over windows of more than a minute. */
  readonly limitsPath: string;
  /** What was learnt from use. */
  readonly usesPath: string;
  /** Which scores of which model mean what. */
  readonly calibrationsPath: string;
}

/** Who holds a data directory, as the holder wrote it down. The URLs are there once the process serves. */
export type DataHolder = z.output<typeof holderSchema>;

/** A secret of the installation and where it was found. */
export interface Credential {
  readonly value: string;
  readonly source: "configuration" | "file" | "made";
}

/** A data directory that this process alone owns until it is disposed. */
export interface DataDirectory extends DataPaths, AsyncDisposable {
  /** Tells other processes where this one serves. */
  announce(urls: { readonly gatewayUrl: string; readonly controlUrl: string }): Promise<void>;
  /**
   * The keys that seal secrets, as text with one a line: the configured ones, else the file's, else one that is made and
   * kept.
   * In production none is made: `config.invalid` with the command that makes one. Nor is one made for a catalog that
   * was there already, because what is sealed in it would be lost.
   */
  encryptionKey(options: CredentialOptions): Promise<Credential>;
  /** Puts other keys into the file, whole or not at all; see `parseKeyring`. */
  writeEncryptionKeys(text: string): Promise<void>;
  /** Adds keys to the file of those that were dropped, each once. Nothing reads it: it is there to be taken away. */
  keepDroppedKeys(text: string): Promise<void>;
  /** The token that opens the control API; found and made in the same way. */
  adminToken(options: CredentialOptions): Promise<Credential>;
}

export interface CredentialOptions {
  readonly configured: string | undefined;
  readonly production: boolean;
}

/**
 * Creates the directory where there is none (0700) and takes its lock, which the system gives back when the process
 * ends, however it ends. Throws `store.unavailable` that says who holds it, since when, and what to do.
 */
export async function openDataDirectory(path: string, clock: Clock = systemClock): Promise<DataDirectory> {
  const paths = dataPaths(path);
  createDirectory(path);
  const lock = takeLock(path);
  const hadCatalog = existsSync(paths.catalogPath);
  try {
    createDirectory(paths.spoolPath);
    const holder = { pid: process.pid, since: new Date(clock.now()).toISOString() };
    const holderPath = join(path, holderFile);
    await writePrivateFile(holderPath, `${JSON.stringify(holder)}\n`);
    return {
      ...paths,
      announce: ({ gatewayUrl, controlUrl }) =>
        writePrivateFile(holderPath, `${JSON.stringify({ ...holder, gatewayUrl, controlUrl })}\n`),
      encryptionKey: (options) => credential(options, encryptionKeyKind(paths.encryptionKeyPath), hadCatalog),
      writeEncryptionKeys: (text) => writePrivateFile(paths.encryptionKeyPath, text),
      async keepDroppedKeys(text) {
        const before = (await readPrivateFile(paths.droppedKeysPath)) ?? "";
        const lines = new Set(`${before}\n${text}`.split("\n").filter((line) => line.trim() !== ""));
        await writePrivateFile(paths.droppedKeysPath, `${[...lines].join("\n")}\n`);
      },
      adminToken: (options) => credential(options, adminTokenKind(paths.adminTokenPath), false),
      async [Symbol.asyncDispose]() {
        rmSync(holderPath, { force: true });
        lock.close();
      },
    };
  } catch (error) {
    lock.close();
    throw error;
  }
}

/** The paths of a data directory, whether or not it is there. */
export function dataPaths(path: string): DataPaths {
  return {
    path,
    catalogPath: join(path, "catalog.db"),
    spoolPath: join(path, "spool"),
    replayPath: join(path, "replay"),
    clickhousePath: join(path, "clickhouse"),
    encryptionKeyPath: join(path, "encryption.key"),
    droppedKeysPath: join(path, "encryption.key.dropped"),
    adminTokenPath: join(path, "admin.token"),
    quickstartPath: join(path, "quickstart.json"),
    vectorsPath: join(path, "vectors.bin"),
    limitsPath: join(path, "limits"),
    usesPath: join(path, "uses"),
    calibrationsPath: join(path, "calibrations.json"),
  };
}

/** Who holds the directory now; undefined when nobody does. Takes nothing and makes nothing. */
export function findDataHolder(path: string): Partial<DataHolder> | undefined {
  if (!existsSync(join(path, lockFile))) return undefined;
  try {
    takeLock(path).close();
    return undefined;
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return readHolder(path) ?? {};
  }
}

const lockFile = "lock.db";
const holderFile = "lock.json";

const holderSchema = z.looseObject({
  pid: z.int(),
  since: z.string(),
  gatewayUrl: z.string().optional(),
  controlUrl: z.string().optional(),
});

function createDirectory(path: string): void {
  try {
    // `recursive` would say nothing about a directory that was there, and its mode is the owner's business.
    if (mkdirSync(path, { recursive: true, mode: 0o700 }) !== undefined) chmodSync(path, 0o700);
  } catch (cause) {
    throw new GatewayError("store.unavailable", `The data directory ${path} cannot be made: ${reasonOf(cause)}.`, {
      cause,
    });
  }
}

// An open exclusive transaction is a lock that works on every system, and that the system itself releases on kill -9.
function takeLock(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(join(path, lockFile), { timeout: 0 });
    database.exec("BEGIN EXCLUSIVE");
    chmodSync(join(path, lockFile), 0o600);
    return database;
  } catch (cause) {
    database?.close();
    if (!/locked|busy/i.test(reasonOf(cause))) {
      const message = `The data directory ${path} cannot be used: ${reasonOf(cause)}. See that this user may write there.`;
      throw new GatewayError("store.unavailable", message, { cause });
    }
    const holder = readHolder(path);
    const who = holder === undefined ? "another process" : `process ${holder.pid}, since ${holder.since}`;
    throw new GatewayError(
      "store.unavailable",
      `The data directory ${path} is held by ${who}. Stop that process, or name another directory with --data.`,
      { cause },
    );
  }
}

function readHolder(path: string): DataHolder | undefined {
  try {
    const parsed = holderSchema.safeParse(parseJson(readFileSync(join(path, holderFile), "utf8")));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined; // the lock counts; the note beside it may be missing or half a moment old
  }
}

interface CredentialKind {
  readonly path: string;
  readonly what: string;
  readonly variable: string;
  readonly pattern: RegExp;
  readonly form: string;
}

function encryptionKeyKind(path: string): CredentialKind {
  const form = "64 hex digits, or several keys with one a line";
  const pattern = /^((?:[A-Za-z0-9][A-Za-z0-9.-]{0,39}:)?[0-9a-fA-F]{64}(\s+|$)){1,10}$/;
  return { path, what: "encryption key", variable: "GATEHOUSE_ENCRYPTION_KEY", pattern, form };
}

function adminTokenKind(path: string): CredentialKind {
  const form = "printable ASCII without spaces";
  return { path, what: "admin token", variable: "GATEHOUSE_ADMIN_TOKEN", pattern: /^[\x21-\x7e]{1,500}$/, form };
}

async function credential(
  { configured, production }: CredentialOptions,
  kind: CredentialKind,
  needed: boolean,
): Promise<Credential> {
  if (configured !== undefined) return { value: configured, source: "configuration" };
  const stored = (await readPrivateFile(kind.path))?.trim();
  if (stored !== undefined) {
    if (kind.pattern.test(stored)) return { value: stored, source: "file" };
    throw new GatewayError(
      "config.invalid",
      `${kind.path} does not hold ${kind.form}. Put the right ${kind.what} there.`,
    );
  }
  if (production) {
    throw new GatewayError(
      "config.invalid",
      `Production needs an ${kind.what}. Set ${kind.variable}, or make a file: (umask 077 && openssl rand -hex 32 > ${kind.path})`,
    );
  }
  if (needed) {
    throw new GatewayError(
      "config.invalid",
      `The catalog was made with an ${kind.what} that is not at ${kind.path}. Put that file back, or set ${kind.variable}.`,
    );
  }
  const value = randomBytes(32).toString("hex");
  await writePrivateFile(kind.path, `${value}\n`);
  return { value, source: "made" };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
