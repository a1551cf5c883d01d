import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";

/** A disk that can be full for what this process writes through file handles. Disposing makes room for good. */
export interface FullDisk extends Disposable {
  isFull: boolean;
  /** How many writes have been refused. */
  readonly refused: number;
}

/** A write that meets the end of the disk leaves a part of its bytes there, as file systems do. */
export async function fullDisk(): Promise<FullDisk> {
  const prototype = await fileHandlePrototype();
  const { write, writeFile } = prototype;
  const bound = { write, writeFile } as Record<"write" | "writeFile", (...call: unknown[]) => Promise<unknown>>; // called with what they were given
  let refused = 0;
  const disk: FullDisk = {
    isFull: false,
    get refused() {
      return refused;
    },
    [Symbol.dispose]() {
      Object.assign(prototype, { write, writeFile });
    },
  };
  const refuse = (): never => {
    refused += 1;
    throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  };
  Object.assign(prototype, {
    async write(this: FileHandle, bytes: Buffer, offset = 0, length = bytes.length - offset, ...rest: unknown[]) {
      if (!disk.isFull) return bound.write.call(this, bytes, offset, length, ...rest);
      if (length > 1) await bound.write.call(this, bytes, offset, Math.floor(length / 2), ...rest);
      return refuse();
    },
    async writeFile(this: FileHandle, ...call: unknown[]) {
      return disk.isFull ? refuse() : bound.writeFile.call(this, ...call);
    },
  });
  return disk;
}

async function fileHandlePrototype(): Promise<FileHandle> {
  await using handle = await open("/dev/null", "r");
  return Object.getPrototypeOf(handle) as FileHandle; // the only thing that Node gives of the class
}
