import { open, readFile, rename } from "node:fs/promises";
import { z } from "zod";
import { parseJson } from "../kernel/parse-json.ts";
import type { SpoolPlace } from "./spool-segments.ts";

/** A range of a segment that was being inserted: whether it arrived is not known. */
export interface PendingRange {
  readonly segment: string;
  readonly from: number;
  readonly to: number;
}

/** How far a replay is, as it is kept on disk. */
export interface ReplayCheckpoint {
  /** Names the spool among those of other gateways; 32 hex digits. */
  readonly spool: string;
  /** Everything before it is in the store. */
  readonly done: SpoolPlace;
  /** What follows `done` and was tried; null when nothing was. */
  readonly pending: PendingRange | null;
  /** Up to there rows may be in the store already, inserted in pieces that nobody remembers. */
  readonly unknownBefore: SpoolPlace;
}

/** The checkpoint in a file; undefined when there is none, or none that can be read. */
export async function readCheckpoint(path: string): Promise<ReplayCheckpoint | undefined> {
  try {
    return checkpointSchema.parse(parseJson(await readFile(path, "utf8")));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError || isMissing(error)) return undefined;
    throw error;
  }
}

/** Replaces the file, whole or not at all, and durably: what was there or this, also after power loss. */
export async function writeCheckpoint(path: string, checkpoint: ReplayCheckpoint): Promise<void> {
  const temporary = `${path}.tmp`; // one process owns the directory
  {
    await using file = await open(temporary, "w", 0o600);
    await file.writeFile(`${JSON.stringify(checkpoint)}\n`);
    await file.datasync();
  }
  await rename(temporary, path);
}

const segmentSchema = z.string().regex(/^(\d{15}\.ndjson)?$/);
const offsetSchema = z.int().min(0);

const placeSchema = z.strictObject({ segment: segmentSchema, offset: offsetSchema });

const checkpointSchema = z.strictObject({
  spool: z.string().regex(/^[0-9a-f]{32}$/),
  done: placeSchema,
  pending: z.strictObject({ segment: segmentSchema, from: offsetSchema, to: offsetSchema }).nullable(),
  unknownBefore: placeSchema,
});

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
