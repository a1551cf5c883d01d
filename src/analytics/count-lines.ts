const lineFeed = 0x0a;

/** How many lines end in the bytes from `from` on. */
export function countLines(bytes: Buffer, from = 0): number {
  let lines = 0;
  for (let end = bytes.indexOf(lineFeed, from); end >= 0; end = bytes.indexOf(lineFeed, end + 1)) lines += 1;
  return lines;
}
