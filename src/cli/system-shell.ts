import { text } from "node:stream/consumers";
import { systemClock } from "../kernel/clock.ts";
import type { Shell } from "./shell.ts";

/** The terminal that this process was started from. */
export function systemShell(): Shell {
  // Whoever reads our output may have had enough of it: `gatehouse tail | head`.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
  return {
    out: (line) => void process.stdout.write(`${line}\n`),
    note: (line) => void process.stderr.write(`${line}\n`),
    readSecret: (question) => (process.stdin.isTTY ? askHidden(question) : text(process.stdin)),
    readInput: () => text(process.stdin),
    onStop(call) {
      process.on("SIGINT", call);
      process.on("SIGTERM", call);
      return () => {
        process.off("SIGINT", call);
        process.off("SIGTERM", call);
      };
    },
    exit: (code) => process.exit(code),
    clock: systemClock,
    cwd: process.cwd(),
  };
}

async function askHidden(question: string): Promise<string> {
  const { createInterface } = await import("node:readline/promises");
  const { Writable } = await import("node:stream");
  process.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  try {
    return await lines.question("");
  } finally {
    lines.close();
    process.stderr.write("\n");
  }
}
