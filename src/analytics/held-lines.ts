import { countLines } from "./count-lines.ts";

/** Lines in memory on their way to a file, in the order in which they came. */
export interface HeldLines<Item> {
  /** Writes the line of an item; nothing has changed when it is not "kept", nor when the writer throws. */
  add(item: Item): "kept" | "full" | "too long";
  readonly bytes: number;
  /** Whole lines from the first on; empty when there are none. They stay as they are until they are taken. */
  first(): Buffer;
  /** Lets go of the first bytes, which end with a line. */
  take(bytes: number): void;
  /** Lets go of everything; answers how many lines that were. */
  clear(): number;
}

export interface HeldLinesOptions<Item> {
  /** All lines together. */
  readonly maxBytes: number;
  /** One line. */
  readonly longestLine: number;
  /** Puts an item's line, which ends in a line feed, as `EventLineWriter` says: an end beyond `memory` asks for more. */
  readonly write: (item: Item, memory: Buffer, at: number) => number;
}

/** Bytes of memory that are had at once. */
const pageBytes = 262_144;

/** Lines lie in pages outside of the collector's memory, and an empty page is used again. */
export function createHeldLines<Item>({ maxBytes, longestLine, write }: HeldLinesOptions<Item>): HeldLines<Item> {
  const pages: Page[] = [];
  let spare: Buffer | undefined;
  let bytes = 0;

  const openPage = (length: number): Page => {
    if (pages.at(-1)?.to === 0) pages.pop(); // an item that was not kept has left it empty
    const isUsual = length <= pageBytes;
    const memory = (isUsual ? spare : undefined) ?? Buffer.allocUnsafeSlow(Math.max(pageBytes, length));
    if (memory === spare) spare = undefined;
    const page = { memory, from: 0, to: 0 };
    pages.push(page);
    return page;
  };
  return {
    add(item) {
      let page = pages.at(-1) ?? openPage(0);
      let end = write(item, page.memory, page.to);
      const length = end - page.to;
      if (length > longestLine) return "too long";
      if (bytes + length > maxBytes) return "full";
      if (end > page.memory.length) {
        page = openPage(length);
        end = write(item, page.memory, 0);
      }
      page.to = end;
      bytes += length;
      return "kept";
    },
    get bytes() {
      return bytes;
    },
    first: () => viewOf(pages[0]),
    take(taken) {
      bytes -= taken;
      for (let left = taken; left > 0; ) {
        const page = pages[0];
        if (page === undefined) return;
        const here = Math.min(left, page.to - page.from);
        page.from += here;
        left -= here;
        if (page.from < page.to) return;
        pages.shift();
        if (page.memory.length === pageBytes) spare = page.memory;
      }
    },
    clear() {
      const lines = pages.reduce((sum, page) => sum + countLines(viewOf(page)), 0);
      pages.length = 0;
      bytes = 0;
      return lines;
    },
  };
}

interface Page {
  readonly memory: Buffer;
  from: number;
  to: number;
}

function viewOf(page: Page | undefined): Buffer {
  return page === undefined ? Buffer.alloc(0) : page.memory.subarray(page.from, page.to);
}
