import { spawn } from "node:child_process";
import { findPackageJSON } from "node:module";
import { extname, join, sep } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { Clock } from "../kernel/clock.ts";
import { GatewayError } from "../kernel/errors.ts";
import { parseJson } from "../kernel/parse-json.ts";
import type { NotesSettings } from "./notes-server/notes-settings.ts";
import { notesReadySchema } from "./notes-server/notes-settings.ts";
import { canHoldFolders } from "./notes-server/workspace-folder.ts";

/** One run of the notes process. */
export interface NotesChild {
  readonly pid: number | undefined;
  /** The port, once it listens. Rejects with `store.unavailable` when it ends before, or takes too long. */
  readonly ready: Promise<number>;
  /** How it ended, with the last of what it had to say; never rejects. */
  readonly ended: Promise<string>;
  /** Asks it to end, and makes it after two seconds. Resolves when it has. */
  stop(): Promise<void>;
}

/**
 * Starts the process: without an environment, so that no key of ours reaches it; with Node's permissions for the
 * workspace and for reading its own code, and for nothing else on disk; without child processes, workers, add-ons or
 * generated code; with 128 MiB of heap.
 */
export function spawnNotes({ settings, clock }: { settings: NotesSettings; clock: Clock }): NotesChild {
  const child = spawn(process.execPath, [...nodeOptions(settings.workspaceFolder), entry], {
    cwd: settings.workspaceFolder,
    env: {},
    stdio: ["pipe", "pipe", "pipe"],
    windowsHide: true,
  });
  child.stdin.on("error", () => {}); // it has ended, and that is told below
  child.stdin.write(`${JSON.stringify(settings)}\n`);
  const lastWords = collect(child.stderr);
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => resolve(`${signal ?? `exit ${code}`} ${lastWords()}`.trim()));
  });
  return {
    pid: child.pid,
    ready: firstOf(portOf(child.stdout), ended, clock, () => child.kill("SIGKILL")),
    ended,
    async stop() {
      child.stdin.end();
      const forget = clock.after(patienceMs, () => child.kill("SIGKILL"));
      await ended;
      forget();
    },
  };
}

const patienceMs = 2_000;
const startLimitMs = 30_000;

const entry = join(import.meta.dirname, "notes-server", `run-notes-server${extname(import.meta.filename)}`);

function nodeOptions(workspaceFolder: string): readonly string[] {
  const code = join(import.meta.dirname, "..");
  const project = join(code, "..");
  const readable = [code, join(project, "package.json"), join(project, "node_modules"), ...packageFolders()];
  // What the process holds open is reached by these paths too; they open nothing that it may not have opened.
  const writable = [workspaceFolder, ...(canHoldFolders ? ["/proc/self/fd"] : [])];
  return [
    "--permission",
    ...[...new Set([...readable, ...writable])].map((path) => `--allow-fs-read=${path}`),
    ...writable.map((path) => `--allow-fs-write=${path}`),
    "--disallow-code-generation-from-strings",
    "--max-old-space-size=128",
    "--max-semi-space-size=16", // or V8 makes it so small beside that heap that it collects all the time
  ];
}

// Where packages are is the installer's choice: ours may stand beside us or above us.
function packageFolders(): readonly string[] {
  const marker = `${sep}node_modules${sep}`;
  return ["@modelcontextprotocol/server", "@modelcontextprotocol/node", "zod"].flatMap((name) => {
    const found = findPackageJSON(name, import.meta.url);
    return found === undefined ? [] : [found.slice(0, found.lastIndexOf(marker) + marker.length - 1)];
  });
}

async function portOf(output: Readable): Promise<number> {
  const lines = createInterface({ input: output });
  const line = await new Promise<string>((resolve) => lines.once("line", resolve));
  return notesReadySchema.parse(parseJson(line)).port;
}

async function firstOf(port: Promise<number>, ended: Promise<string>, clock: Clock, kill: () => void): Promise<number> {
  const forget = clock.after(startLimitMs, kill);
  const failed = ended.then((end) => {
    throw new GatewayError("store.unavailable", "The notes server ended before it listened.", { detail: end });
  });
  failed.catch(() => {}); // after the port is known, an end is no failure to start
  try {
    return await Promise.race([port, failed]);
  } finally {
    forget();
  }
}

/** Keeps the last of a stream, and keeps it flowing. */
function collect(stream: Readable): () => string {
  let last = "";
  stream.setEncoding("utf8").on("data", (text: string) => {
    last = `${last}${text}`.slice(-2_000);
  });
  return () => last;
}
