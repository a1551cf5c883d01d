import type { FileHandle } from "node:fs/promises";
import { open, rename, rm } from "node:fs/promises";
import { crc32 } from "node:zlib";
import type { Log } from "../kernel/log.ts";

/** A vector as it is kept: what it is of is known by its hash only. */
export interface KeptVector {
  readonly modelId: string;
  /** SHA-256 of the text, 32 bytes. */
  readonly digest: Buffer;
  /** Empty for a text that has no meaning to the model. */
  readonly vector: Float32Array;
}

/** Vectors on disk: a file that grows at its end and is written anew when it has grown too large. */
export interface VectorFile extends AsyncDisposable {
  /** Written soon, in one go with others. A failure is logged once, and ends the writing but not the work. */
  append(kept: KeptVector): void;
  /** Resolves when what was appended is with the system, so that it survives the end of this process. */
  flush(): Promise<void>;
}

export interface VectorFileOptions {
  /** Its directory must be there; the file is made (0600) where there is none. */
  readonly path: string;
  /** Beyond this the file is written anew with what `live` gives. */
  readonly maxBytes: number;
  readonly log: Log;
  /** Takes what the file holds, in the order in which it was written. */
  load(kept: KeptVector): void;
  /** All that is still of use, the least recently used first. */
  live(): Iterable<KeptVector>;
}

/**
 * Format 1: `GHVC`, u32 version, then records of u32 length, u32 CRC-32 and a payload, all little endian. A payload is
 * `1`, u32 number, a model's id; or `2`, u32 number of the model, 32 bytes of SHA-256, numbers as float32. What follows
 * a record that is cut off or altered is dropped; a file of another format or version is begun anew.
 */
export async function openVectorFile(options: VectorFileOptions): Promise<VectorFile> {
  const { path, maxBytes, log } = options;
  await rm(temporaryOf(path), { force: true }); // of a rewriting that a crash has ended
  let file = await open(path, "a+", 0o600);
  const numbers = new Map<string, number>();
  let size = await readAll(file, options, numbers);
  let pending: Buffer[] = [];
  let writing: Promise<void> | undefined;
  let broken = false;

  const rewrite = async (): Promise<void> => {
    await using fresh = await open(temporaryOf(path), "w", 0o600);
    // Taken whole without a wait: what is appended from here on comes behind it.
    numbers.clear();
    const content = Buffer.concat([header(), ...[...options.live()].flatMap((kept) => recordsOf(kept, numbers))]);
    pending = [];
    await fresh.writeFile(content);
    await fresh.sync();
    await rename(temporaryOf(path), path);
    await file.close();
    file = await open(path, "a+", 0o600);
    size = content.length;
  };
  const writeAll = async (): Promise<void> => {
    try {
      while (pending.length > 0) {
        const batch = Buffer.concat(pending);
        if (size + batch.length > maxBytes) {
          await rewrite();
          continue;
        }
        pending = [];
        await file.appendFile(batch);
        size += batch.length;
      }
    } catch (error) {
      broken = true;
      pending = [];
      log.warn({ err: error }, "vectors can no longer be kept on disk");
      await file.truncate(size).catch(() => undefined); // a half-written record would be dropped at the next start
    } finally {
      writing = undefined;
    }
  };
  return {
    append(kept) {
      if (broken) return;
      pending.push(...recordsOf(kept, numbers));
      writing ??= Promise.resolve().then(writeAll);
    },
    async flush() {
      while (writing !== undefined) await writing;
    },
    async [Symbol.asyncDispose]() {
      while (writing !== undefined) await writing;
      await file.close();
    },
  };
}

const magic = "GHVC";
const version = 1;
const headerBytes = 8;
const frameBytes = 8;
const digestBytes = 32;
/** Longer than any vector: a length beyond it is a fault in the file. */
const longestPayload = 1_048_576;

function header(): Buffer {
  const bytes = Buffer.alloc(headerBytes);
  bytes.write(magic, "latin1");
  bytes.writeUInt32LE(version, 4);
  return bytes;
}

function recordsOf({ modelId, digest, vector }: KeptVector, numbers: Map<string, number>): readonly Buffer[] {
  const known = numbers.get(modelId);
  const number = known ?? numbers.size;
  const raw = Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
  const own = framed(2, number, digest, raw);
  if (known !== undefined) return [own];
  numbers.set(modelId, number);
  return [framed(1, number, Buffer.from(modelId)), own];
}

function framed(kind: number, number: number, ...parts: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(frameBytes + 5);
  head.writeUInt8(kind, frameBytes);
  head.writeUInt32LE(number, frameBytes + 1);
  const record = Buffer.concat([head, ...parts]);
  const payload = record.subarray(frameBytes);
  record.writeUInt32LE(payload.length, 0);
  record.writeUInt32LE(crc32(payload), 4);
  return record;
}

/** Hands over every record; bytes of the file that are good. What is not is cut off. */
async function readAll(file: FileHandle, options: VectorFileOptions, numbers: Map<string, number>): Promise<number> {
  const { size: present } = await file.stat();
  const models = new Map<number, string>();
  let good = 0;
  let rest: Buffer = Buffer.alloc(0);
  for (let at = 0; at < present; ) {
    const chunk = Buffer.alloc(Math.min(1_048_576, present - at));
    const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
    if (bytesRead === 0) break;
    at += bytesRead;
    rest = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
    let from = 0;
    if (good === 0) {
      if (!rest.subarray(0, headerBytes).equals(header())) break;
      from = headerBytes;
    }
    const end = takeRecords(rest, from, (payload) => takePayload(payload, models, options));
    good += end.at;
    rest = rest.subarray(end.at);
    if (end.faulty) break;
  }
  for (const [number, id] of models) numbers.set(id, number);
  if (good < present) {
    options.log.warn(
      { path: options.path, droppedBytes: present - good },
      "the end of the kept vectors was not readable",
    );
    await file.truncate(good);
  }
  if (good > 0) return good;
  await file.appendFile(header());
  return headerBytes;
}

function takeRecords(bytes: Buffer, from: number, take: (payload: Buffer) => boolean): { at: number; faulty: boolean } {
  let at = from;
  while (at + frameBytes <= bytes.length) {
    const length = bytes.readUInt32LE(at);
    if (length > longestPayload || length < 5) return { at, faulty: true };
    const end = at + frameBytes + length;
    if (end > bytes.length) break;
    const payload = bytes.subarray(at + frameBytes, end);
    if (crc32(payload) !== bytes.readUInt32LE(at + 4) || !take(payload)) return { at, faulty: true };
    at = end;
  }
  return { at, faulty: false };
}

/** False for a payload that means nothing. */
function takePayload(payload: Buffer, models: Map<number, string>, { load }: VectorFileOptions): boolean {
  const number = payload.readUInt32LE(1);
  if (payload[0] === 1) {
    models.set(number, payload.toString("utf8", 5));
    return number === models.size - 1;
  }
  const modelId = models.get(number);
  const raw = payload.subarray(5 + digestBytes);
  if (payload[0] !== 2 || modelId === undefined || payload.length < 5 + digestBytes || raw.length % 4 !== 0)
    return false;
  const vector = new Float32Array(raw.length / 4);
  Buffer.from(vector.buffer).set(raw);
  load({ modelId, digest: Buffer.from(payload.subarray(5, 5 + digestBytes)), vector });
  return true;
}

function temporaryOf(path: string): string {
  return `${path}.new`;
}
