import { crc32 } from "node:zlib";

/** A counter as it is kept over a restart. Its four figures are the counter's own business. */
export interface StoredCounter {
  readonly type: "rate" | "quota";
  readonly key: string;
  readonly figures: Figures;
}

export type Figures = readonly [first: number, second: number, third: number, fourth: number];

/** What is written for one counter: with its key the first time in a file, by number alone after that. */
export interface JournalEntry {
  readonly id: number;
  readonly type: "rate" | "quota";
  /** Undefined where the file has it already. */
  readonly key: string | undefined;
  readonly figures: Figures;
}

const frameHead = 8; // length and CRC-32 of what follows, 32 bits each
const entryHead = 37; // kind, number, four figures
const kinds = { rate: 1, quota: 2 } as const;
const withKey = 16;

/** Gathers entries to one frame, which stands in a file whole or not at all. */
export interface FrameWriter {
  readonly isEmpty: boolean;
  add(entry: JournalEntry): void;
  /** The frame of all that was added since the last one. Valid until the next `add`. */
  finish(): Uint8Array;
}

/** A writer that makes its room once and again only for what is larger. */
export function createFrameWriter(): FrameWriter {
  let buffer = Buffer.allocUnsafe(16_384);
  let end = frameHead;

  function makeRoom(bytes: number): void {
    if (end + bytes <= buffer.length) return;
    const larger = Buffer.allocUnsafe(2 * (end + bytes));
    buffer.copy(larger, 0, 0, end);
    buffer = larger;
  }

  return {
    get isEmpty() {
      return end === frameHead;
    },
    add({ id, type, key, figures }) {
      const keyBytes = key === undefined ? 0 : 4 + Buffer.byteLength(key, keyEncoding);
      makeRoom(entryHead + keyBytes);
      buffer[end] = kinds[type] | (key === undefined ? 0 : withKey);
      buffer.writeUInt32LE(id, end + 1);
      for (let place = 0; place < 4; place += 1) buffer.writeDoubleLE(figures[place] ?? 0, end + 5 + 8 * place);
      end += entryHead;
      if (key === undefined) return;
      buffer.writeUInt32LE(keyBytes - 4, end);
      buffer.write(key, end + 4, keyEncoding);
      end += keyBytes;
    },
    finish() {
      const payload = buffer.subarray(frameHead, end);
      buffer.writeUInt32LE(payload.length, 0);
      buffer.writeUInt32LE(crc32(payload), 4);
      const frame = buffer.subarray(0, end);
      end = frameHead;
      return frame;
    },
  };
}

// Any text comes back as it was, lone surrogates too.
const keyEncoding = "utf16le";

/** Reads the frames of a file, in order. Answers how many bytes were good; what follows them is damaged or cut off. */
export function readFrames(file: Buffer, each: (entry: JournalEntry) => void): number {
  let at = 0;
  while (at + frameHead <= file.length) {
    const length = file.readUInt32LE(at);
    const payload = file.subarray(at + frameHead, at + frameHead + length);
    if (length === 0 || payload.length < length || crc32(payload) !== file.readUInt32LE(at + 4)) break;
    const entries = readEntries(payload);
    if (entries === undefined) break;
    for (const entry of entries) each(entry);
    at += frameHead + length;
  }
  return at;
}

function readEntries(payload: Buffer): readonly JournalEntry[] | undefined {
  const entries: JournalEntry[] = [];
  let at = 0;
  while (at < payload.length) {
    if (at + entryHead > payload.length) return undefined;
    const kind = payload[at] ?? 0;
    const type = (kind & ~withKey) === kinds.rate ? "rate" : "quota";
    if ((kind & ~withKey) !== kinds[type]) return undefined;
    const id = payload.readUInt32LE(at + 1);
    const figure = (place: number): number => payload.readDoubleLE(at + 5 + 8 * place);
    const figures = [figure(0), figure(1), figure(2), figure(3)] as const;
    at += entryHead;
    let key: string | undefined;
    if ((kind & withKey) !== 0) {
      if (at + 4 > payload.length) return undefined;
      const keyEnd = at + 4 + payload.readUInt32LE(at);
      if (keyEnd > payload.length) return undefined;
      key = payload.toString(keyEncoding, at + 4, keyEnd);
      at = keyEnd;
    }
    entries.push({ id, type, key, figures });
  }
  return entries;
}
