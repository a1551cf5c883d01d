/** Memory for blocks on their way, used again for each: fresh memory for each would keep the garbage collector busy. */
export interface BlockBuffers {
  /** At least `bytes` of memory, with whatever was in it; the same memory for the same use. */
  take(use: "block" | "attempts" | "captures" | "governance_events", bytes: number): Buffer;
}

/** What is kept grows to the largest block so far, and no further than `mostKeptBytes` for each use. */
export function createBlockBuffers(mostKeptBytes: number): BlockBuffers {
  const kept = new Map<string, Buffer>();
  return {
    take(use, bytes) {
      const known = kept.get(use);
      if (known !== undefined && known.length >= bytes) return known;
      // Of its own memory: the small pool is for small things.
      if (bytes > mostKeptBytes) return Buffer.allocUnsafeSlow(bytes);
      const fresh = Buffer.allocUnsafeSlow(Math.min(mostKeptBytes, 2 ** Math.ceil(Math.log2(Math.max(bytes, 4_096)))));
      kept.set(use, fresh);
      return fresh;
    },
  };
}
