import { existsSync, readFileSync, rmSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { open, readFile, rename } from "node:fs/promises";
import { z } from "zod";
import type { Log } from "../kernel/log.ts";
import { parseJson } from "../kernel/parse-json.ts";
import type { UseJournal, UseRecord } from "./use-record.ts";

/** The memory of one index on disk. */
export interface UseFile extends AsyncDisposable {
  /** What it holds, oldest first. */
  records(): readonly UseRecord[];
  readonly journal: UseJournal;
  /** Resolves when what was told so far would survive the end of this process, and what was forgotten is gone. */
  flush(): Promise<void>;
}

export interface UseFileOptions {
  /** Its directory must be there; the file is made (0600) with the first use. */
  readonly path: string;
  readonly log: Log;
}

/** Lines beyond those of use, at which the file is written anew. */
const spareLines = 1000;

/**
 * One line of JSON a use, and one for each that made room. What is to be forgotten is not marked but taken out: the
 * file is written anew. A line that cannot be read, such as one that a crash cut off, is dropped and logged. When the
 * file can no longer be written, that is logged once and the work goes on in memory.
 */
export function openUseFile({ path, log }: UseFileOptions): UseFile {
  const temporary = `${path}.new`;
  rmSync(temporary, { force: true }); // of a rewriting that a crash has ended
  const held = existsSync(path) ? readLines(readFileSync(path, "utf8"), path, log) : new Map<number, UseRecord>();
  let file: FileHandle | undefined;
  let lines = Number.POSITIVE_INFINITY; // the first change writes the file anew, whatever was in it
  let pending: string[] = [];
  let writing: Promise<void> | undefined;
  let isBroken = false;

  const rewrite = async (): Promise<void> => {
    const content = [...held.values()].map(lineOf);
    pending = []; // all of it is in `held`; what comes from here on is appended behind
    await using fresh = await open(temporary, "w", 0o600);
    await fresh.writeFile(content.join(""));
    await fresh.sync();
    await rename(temporary, path);
    await file?.close();
    file = undefined;
    lines = content.length;
  };
  const writeAll = async (): Promise<void> => {
    try {
      while (pending.length > 0) {
        if (lines + pending.length > 2 * held.size + spareLines) {
          await rewrite();
          continue;
        }
        const batch = pending;
        pending = [];
        file ??= await open(path, "a", 0o600);
        await file.appendFile(batch.join(""));
        lines += batch.length;
      }
    } catch (error) {
      isBroken = true;
      pending = [];
      log.warn({ err: error }, "what was learnt from use can no longer be kept on disk");
    } finally {
      writing = undefined;
    }
  };
  const write = (...added: readonly string[]): void => {
    if (isBroken) return;
    pending.push(...added);
    writing ??= Promise.resolve().then(writeAll);
  };
  const flush = async (): Promise<void> => {
    while (writing !== undefined) await writing;
  };
  return {
    records: () => inOrder(held),
    journal: {
      absorbed(record, leaving) {
        held.set(record.sequence, record);
        if (leaving !== undefined) held.delete(leaving.sequence);
        write(lineOf(record), ...(leaving === undefined ? [] : [`${JSON.stringify({ gone: leaving.sequence })}\n`]));
      },
      forgotten(leaving) {
        for (const { sequence } of leaving) held.delete(sequence);
        lines = Number.POSITIVE_INFINITY;
        write("");
      },
    },
    flush,
    async [Symbol.asyncDispose]() {
      await flush();
      await file?.close();
    },
  };
}

/**
 * What such a file holds, oldest first, without opening it for writing: a gateway may be at work on it. Rejects with the
 * system's error when it cannot be read; a line that cannot be is dropped and logged.
 */
export async function readUseFile({ path, log }: UseFileOptions): Promise<readonly UseRecord[]> {
  return inOrder(readLines(await readFile(path, "utf8"), path, log));
}

function inOrder(held: ReadonlyMap<number, UseRecord>): readonly UseRecord[] {
  return [...held.values()].toSorted((left, right) => left.sequence - right.sequence);
}

const line = z.union([
  z.strictObject({ gone: z.int() }),
  z.strictObject({
    entry: z.string(),
    application: z.string(),
    sequence: z.int().min(1),
    modelId: z.string(),
    /** Base64 of a byte per component. */
    values: z.string().optional(),
    scale: z.number().positive().optional(),
    stems: z.array(z.string()),
  }),
]);

function lineOf({ vector, ...record }: UseRecord): string {
  const packed = vector && { values: Buffer.from(vector.values.buffer).toString("base64"), scale: vector.scale };
  return `${JSON.stringify({ ...record, ...packed })}\n`;
}

function readLines(content: string, path: string, log: Log): Map<number, UseRecord> {
  const held = new Map<number, UseRecord>();
  let dropped = 0;
  for (const text of content.split("\n")) {
    if (text === "") continue;
    const parsed = line.safeParse(jsonOf(text));
    if (!parsed.success) {
      dropped += 1;
    } else if ("gone" in parsed.data) {
      held.delete(parsed.data.gone);
    } else {
      const { values, scale, ...record } = parsed.data;
      const isPacked = values !== undefined && scale !== undefined;
      const vector = isPacked ? { scale, values: new Int8Array(Buffer.from(values, "base64")) } : undefined;
      held.set(record.sequence, { ...record, vector });
    }
  }
  if (dropped > 0) log.warn({ path, dropped }, "lines of what was learnt from use were not readable");
  return held;
}

function jsonOf(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
