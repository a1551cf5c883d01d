import type { FileHandle } from "node:fs/promises";
import { mkdir, open, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../kernel/clock.ts";
import { countLines } from "./count-lines.ts";

/** The files of a spool on disk, the newest of them open for appending. */
export interface SpoolSegments {
  /**
   * Appends as many of the whole lines, from the first on, as the present segment takes, at least one; answers how many
   * bytes. Rejects when the disk fails; nothing of the lines is then in a segment that a reader will see as whole.
   */
  append(lines: Buffer): Promise<number>;
  close(): Promise<void>;
  /** Events that nobody had taken over when their segment was deleted to stay within the bound. */
  readonly dropped: number;
  /** All segments, oldest first; of the newest only the bytes that are whole lines. */
  list(): readonly SpoolSegment[];
  /** Everything before `place` is in other hands now, and no loss when its segment goes. */
  handOver(place: SpoolPlace): void;
}

/** A file of a spool, and how many of its bytes count. */
export interface SpoolSegment {
  readonly name: string;
  readonly bytes: number;
}

/** A position between two lines. */
export interface SpoolPlace {
  readonly segment: string;
  /** Bytes of the segment before it. */
  readonly offset: number;
}

export interface SpoolSegmentsOptions {
  readonly directory: string;
  /** All segments together. */
  readonly maxBytes: number;
  /** One segment; a line may not be larger. */
  readonly segmentBytes: number;
  readonly clock: Clock;
}

/** Names of the segments in a directory, oldest first. Other files are passed over. */
export async function listSegments(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => /^\d{15}\.ndjson$/.test(name)).sort();
}

/** Takes stock of a directory, made with mode 0700 where it is missing. No file is opened before the first append. */
export async function openSpoolSegments(options: SpoolSegmentsOptions): Promise<SpoolSegments> {
  const { directory, maxBytes, segmentBytes } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const sealed: SpoolSegment[] = [];
  for (const name of await listSegments(directory))
    sealed.push({ name, bytes: (await stat(join(directory, name))).size });
  let lastNumber = Number(sealed.at(-1)?.name.slice(0, 15) ?? 0);
  let current: { readonly name: string; readonly file: FileHandle; bytes: number } | undefined;
  let dropped = 0;
  let handedOver: SpoolPlace = { segment: "", offset: 0 };

  const begin = async (): Promise<NonNullable<typeof current>> => {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    // From the clock, so that a name is not used again after a reader has removed all segments.
    lastNumber = Math.max(lastNumber + 1, options.clock.now());
    const name = `${String(lastNumber).padStart(15, "0")}.ndjson`;
    return { name, file: await open(join(directory, name), "ax", 0o600), bytes: 0 };
  };
  const seal = async (): Promise<void> => {
    if (current === undefined) return;
    const { name, bytes, file } = current;
    current = undefined;
    sealed.push({ name, bytes });
    await file.close();
  };
  const makeRoom = async (bytes: number): Promise<void> => {
    let held = sealed.reduce((sum, segment) => sum + segment.bytes, current?.bytes ?? 0);
    while (held + bytes > maxBytes) {
      const oldest = sealed[0];
      if (oldest === undefined) return;
      dropped += await removeSegment(directory, oldest, handedOver);
      sealed.shift();
      held -= oldest.bytes;
    }
  };

  return {
    async append(lines) {
      const first = lines.indexOf(lineFeed) + 1;
      if (current !== undefined && current.bytes + first > segmentBytes) await seal();
      const fitting = wholeLines(lines, segmentBytes - (current?.bytes ?? 0));
      await makeRoom(fitting.length);
      current ??= await begin();
      try {
        await writeFully(current.file, fitting);
      } catch (error) {
        // What was written in part is taken back; where that fails too, nothing is ever put behind it.
        const takenBack = await current.file.truncate(current.bytes).then(
          () => true,
          () => false,
        );
        if (!takenBack) await seal().catch(() => undefined);
        throw error;
      }
      current.bytes += fitting.length;
      return fitting.length;
    },
    close: seal,
    list: () => (current === undefined ? [...sealed] : [...sealed, { name: current.name, bytes: current.bytes }]),
    handOver(place) {
      handedOver = place;
    },
    get dropped() {
      return dropped;
    },
  };
}

const lineFeed = 0x0a;

/** At least the first line. */
function wholeLines(lines: Buffer, room: number): Buffer {
  if (lines.length <= room) return lines;
  const end = room > 0 ? lines.lastIndexOf(lineFeed, room - 1) + 1 : 0;
  return lines.subarray(0, end > 0 ? end : lines.indexOf(lineFeed) + 1);
}

/** Appends: the file was opened for nothing else. */
async function writeFully(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    written += (await file.write(bytes, written, bytes.length - written)).bytesWritten;
  }
}

/** Deletes a segment and answers how many events are lost with it; none when a reader has taken it already. */
async function removeSegment(
  directory: string,
  { name, bytes }: SpoolSegment,
  handedOver: SpoolPlace,
): Promise<number> {
  const path = join(directory, name);
  const from = name < handedOver.segment ? bytes : name === handedOver.segment ? handedOver.offset : 0;
  try {
    const content = from < bytes ? await readFile(path) : Buffer.alloc(0);
    await rm(path);
    return countLines(content, from);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return 0;
    throw error;
  }
}
