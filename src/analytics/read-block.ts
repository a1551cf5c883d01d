import { open } from "node:fs/promises";
import { join } from "node:path";
import type { BlockBuffers } from "./block-buffers.ts";
import type { SpoolSegment } from "./spool-segments.ts";

/** Whole lines of one segment, one after the other. */
export interface SpoolBlock {
  readonly segment: string;
  /** Bytes of the segment before the first line, and before what follows the last. */
  readonly from: number;
  readonly to: number;
  readonly lines: Buffer;
}

export interface ReadBlockOptions {
  readonly directory: string;
  readonly segment: SpoolSegment;
  readonly from: number;
  /** About as many bytes as are read; a longer line is read whole. */
  readonly maxBytes: number;
  /** What the lines are read into; they hold until its next use. */
  readonly buffers: BlockBuffers;
}

/**
 * The next lines of a segment. `to` goes past a line at the end that a crash cut off, so a reader gets on. Undefined
 * when there is nothing more, or the segment was deleted meanwhile.
 */
export async function readBlock({
  directory,
  segment,
  from,
  maxBytes,
  buffers,
}: ReadBlockOptions): Promise<SpoolBlock | undefined> {
  if (from >= segment.bytes) return undefined;
  const file = await open(join(directory, segment.name), "r").catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  await using _closes = file;
  for (let bytes = maxBytes; ; bytes *= 2) {
    const wanted = Math.min(bytes, segment.bytes - from);
    const buffer = buffers.take("block", wanted).subarray(0, wanted);
    const read = await readFully(file, buffer, from);
    const end = buffer.subarray(0, read).lastIndexOf(0x0a) + 1;
    const isAll = from + wanted >= segment.bytes || read < wanted;
    if (end === 0 && !isAll) continue;
    return { segment: segment.name, from, to: isAll ? segment.bytes : from + end, lines: buffer.subarray(0, end) };
  }
}

type File = Awaited<ReturnType<typeof open>>;

async function readFully(file: File, buffer: Buffer, from: number): Promise<number> {
  let read = 0;
  while (read < buffer.length) {
    const { bytesRead } = await file.read(buffer, read, buffer.length - read, from + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return read;
}
