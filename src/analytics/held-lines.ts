/** Lines in memory on their way to a file, in the order in which they came. */
export interface HeldLines {
  /** False when it does not fit any more. A line is ASCII and ends in a line feed. */
  add(line: string): boolean;
  readonly bytes: number;
  /** Whole lines from the first on; empty when there are none. They stay as they are until they are taken. */
  first(): Buffer;
  /** Lets go of the first bytes, which end with a line. */
  take(bytes: number): void;
  /** Lets go of everything; answers how many lines that were. */
  clear(): number;
}

/** Bytes of memory that are had at once. */
const pageBytes = 262_144;

/** Lines lie in pages outside of the collector's memory, and an empty page is used again. */
export function createHeldLines(maxBytes: number): HeldLines {
  const pages: Page[] = [];
  let spare: Buffer | undefined;
  let bytes = 0;

  const pageFor = (length: number): Page => {
    const last = pages.at(-1);
    if (last !== undefined && last.to + length <= last.memory.length) return last;
    const isUsual = length <= pageBytes;
    const page = {
      memory: (isUsual ? spare : undefined) ?? Buffer.allocUnsafeSlow(Math.max(pageBytes, length)),
      from: 0,
      to: 0,
    };
    if (page.memory === spare) spare = undefined;
    pages.push(page);
    return page;
  };
  return {
    add(line) {
      if (bytes + line.length > maxBytes) return false;
      const page = pageFor(line.length);
      page.to += page.memory.write(line, page.to, "latin1");
      bytes += line.length;
      return true;
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

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, end + 1)) lines += 1;
  return lines;
}
