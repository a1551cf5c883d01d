import { appendFile, readFile } from "node:fs/promises";
import type { CheckpointPlace } from "../core/audit-checkpoints.ts";

/** Keeps checkpoints in a file, one a line, the newest last. The file is made with mode 0600 where there is none. */
export function checkpointFile(path: string): CheckpointPlace {
  return {
    async last() {
      const text = await readFile(path, "utf8").catch((error: unknown) => {
        if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
        throw error;
      });
      return text.trim().split("\n").at(-1)?.trim() || undefined;
    },
    append: (checkpoint) => appendFile(path, `${checkpoint}\n`, { mode: 0o600 }),
  };
}
