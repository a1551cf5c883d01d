import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Log } from "../../kernel/log.ts";
import type { Counter, Moment } from "./counter.ts";
import type { StoredCounter } from "./journal-record.ts";
import { createFrameWriter, readFrames } from "./journal-record.ts";

export interface LimitJournalOptions {
  /** A directory of the journal's own; made where there is none. */
  readonly path: string;
  readonly log: Log;
  /** Bytes after which what still counts is carried over to another file, where that makes it smaller. */
  readonly fileBytes?: number;
}

/**
 * Keeps counters over a restart and a `kill -9` of the process; a loss of power may take the last ones along. Files of
 * frames, each with a checksum. What is noted is in the system's hands when `write` returns. While the disk refuses,
 * counting goes on without it: that is logged, and tried again.
 */
export interface LimitJournal extends Disposable {
  /** What earlier processes have left, the last state of each counter. */
  restore(): readonly StoredCounter[];
  /** From now on these are what counts; writes down those that do, and lets go of what was restored. */
  begin(counters: () => Iterable<Counter>, now: Moment): void;
  /** The counter has changed and is to be written. */
  note(counter: Counter, now: Moment): void;
  /** Writes what was noted since the last time. */
  write(now: Moment): void;
}

const defaultFileBytes = 4_194_304;
const retryAfterMs = 10_000;
/** Counters carried over with each write, so that no request waits for all of them. */
const carriedPerWrite = 16;

/** Opens no file before `begin`. Throws where the directory cannot be made or read. */
export function openLimitJournal(options: LimitJournalOptions): LimitJournal {
  mkdirSync(options.path, { recursive: true, mode: 0o700 });
  return new FileJournal(options, fileNumbers(options.path));
}

interface OpenFile {
  readonly number: number;
  readonly descriptor: number;
  bytes: number;
}

class FileJournal implements LimitJournal {
  readonly #path: string;
  readonly #log: Log;
  readonly #fileBytes: number;
  readonly #frame = createFrameWriter();
  /** Files that hold what the present one does not have yet. */
  readonly #old: number[];
  #lastNumber: number;
  #lastId = 0;
  #counters: () => Iterable<Counter> = () => [];
  #file: OpenFile | undefined;
  /** What is left to be carried over; undefined when nothing is. */
  #carried: Iterator<Counter, undefined> | undefined;
  #rotateAtBytes: number;
  #retryAtMs = Infinity;

  constructor({ path, log, fileBytes = defaultFileBytes }: LimitJournalOptions, old: number[]) {
    this.#path = path;
    this.#log = log;
    this.#fileBytes = fileBytes;
    this.#old = old;
    this.#lastNumber = old.at(-1) ?? 0;
    this.#rotateAtBytes = fileBytes;
  }

  restore(): readonly StoredCounter[] {
    return readFiles(this.#path, this.#old, this.#log);
  }

  begin(counters: () => Iterable<Counter>, now: Moment): void {
    this.#counters = counters;
    this.#guard(now, () => {
      this.#nextFile();
      for (; this.#carried !== undefined; this.#flush()) this.#carry(1_000, now);
      this.#letGoOfOld();
    });
  }

  note(counter: Counter, now: Moment): void {
    const { key, type } = counter;
    if (this.#file === undefined || type === "concurrent") return;
    const isNew = counter.journalFile !== this.#file.number;
    if (isNew) {
      this.#lastId += 1;
      counter.journalId = this.#lastId;
      counter.journalFile = this.#file.number;
    }
    this.#frame.add({ id: counter.journalId, type, key: isNew ? key : undefined, figures: counter.figures(now) });
  }

  write(now: Moment): void {
    if (this.#file === undefined && now.monotonicMs < this.#retryAtMs) return;
    this.#guard(now, () => {
      const isFull = this.#carried === undefined && (this.#file?.bytes ?? 0) >= this.#rotateAtBytes;
      if (this.#file !== undefined) this.#flush();
      if (this.#file === undefined || isFull) this.#nextFile();
      if (this.#carried === undefined) return;
      this.#carry(carriedPerWrite, now);
      this.#flush();
      if (this.#carried === undefined) this.#letGoOfOld();
    });
  }

  [Symbol.dispose](): void {
    this.#leaveFile();
    this.#retryAtMs = Infinity;
  }

  #flush(): void {
    if (this.#file === undefined || this.#frame.isEmpty) return;
    const bytes = this.#frame.finish();
    const written = writeSync(this.#file.descriptor, bytes);
    if (written < bytes.length) throw new Error(`only ${written} of ${bytes.length} bytes were written`);
    this.#file.bytes += written;
  }

  #nextFile(): void {
    this.#leaveFile();
    const number = this.#lastNumber + 1;
    const descriptor = openSync(join(this.#path, fileName(number)), "ax", 0o600);
    this.#lastNumber = number;
    this.#file = { number, descriptor, bytes: 0 };
    this.#carried = this.#counters()[Symbol.iterator]();
    this.#retryAtMs = Infinity;
  }

  #leaveFile(): void {
    if (this.#file === undefined) return;
    this.#old.push(this.#file.number);
    closeSync(this.#file.descriptor);
    this.#file = undefined;
  }

  /** Notes counters that the present file does not have yet. */
  #carry(most: number, now: Moment): void {
    for (let count = 0; count < most; count += 1) {
      const next = this.#carried?.next();
      if (next === undefined || next.done === true) {
        this.#carried = undefined;
        return;
      }
      const counter = next.value;
      const isThere = counter.journalFile === this.#file?.number;
      if (!isThere && counter.isDurable && counter.freeAt(now) > now.monotonicMs) this.note(counter, now);
    }
  }

  /** Everything that counts is in the present file: what is older can go. */
  #letGoOfOld(): void {
    for (const number of this.#old.splice(0)) rmSync(join(this.#path, fileName(number)), { force: true });
    this.#rotateAtBytes = Math.max(this.#fileBytes, 4 * (this.#file?.bytes ?? 0));
  }

  #guard(now: Moment, act: () => void): void {
    try {
      act();
    } catch (error) {
      const fields = { err: error, path: this.#path };
      this.#log.error(fields, "limits cannot be written down: until they can, a restart forgets what was used");
      this.#frame.finish();
      this.#retryAtMs = now.monotonicMs + retryAfterMs;
      this.#leaveFile();
    }
  }
}

function fileName(number: number): string {
  return `limits-${String(number).padStart(10, "0")}.journal`;
}

function fileNumbers(path: string): number[] {
  const numbers = readdirSync(path).flatMap((name) => {
    const digits = /^limits-(\d{10})\.journal$/.exec(name)?.[1];
    return digits === undefined ? [] : [Number(digits)];
  });
  return numbers.toSorted((left, right) => left - right);
}

/** The last state of each counter. What of a file is damaged is left out, and the rest of that file with it. */
function readFiles(path: string, numbers: readonly number[], log: Log): readonly StoredCounter[] {
  const latest = new Map<string, StoredCounter>();
  for (const number of numbers) {
    const name = fileName(number);
    const bytes = readFileSync(join(path, name));
    const keys = new Map<number, string>();
    const goodBytes = readFrames(bytes, ({ id, type, key = keys.get(id), figures }) => {
      if (key === undefined) return;
      keys.set(id, key);
      latest.set(`${type}/${key}`, { type, key, figures });
    });
    if (goodBytes < bytes.length) {
      const lost = { file: join(path, name), bytes: bytes.length, goodBytes };
      log.warn(lost, "the end of a file of limits is damaged and was left out: what was used last may be forgotten");
    }
  }
  return [...latest.values()];
}
