/** Cuts bytes into lines that end in LF, without it and without a CR before it. */
export interface LineReader {
  /** The lines that the chunk completes; `too-long` when one is longer than allowed, after which nothing is read. */
  push(chunk: Uint8Array): readonly Uint8Array[] | "too-long";
}

/** Holds at most one line of `maxBytes` back. */
export function createLineReader(maxBytes: number): LineReader {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  return {
    push(chunk) {
      const lines: Uint8Array[] = [];
      let start = 0;
      for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, start)) {
        if (heldBytes + end - start > maxBytes) return "too-long";
        const tail = chunk.subarray(start, end);
        lines.push(withoutReturn(heldBytes === 0 ? tail : Buffer.concat([...held, tail])));
        held = [];
        heldBytes = 0;
        start = end + 1;
      }
      if (start < chunk.length) held.push(chunk.subarray(start));
      heldBytes += chunk.length - start;
      return heldBytes > maxBytes ? "too-long" : lines;
    },
  };
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

function withoutReturn(line: Uint8Array): Uint8Array {
  return line.at(-1) === carriageReturn ? line.subarray(0, -1) : line;
}
