import { spawn, spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { childrenOf } from "./process-use.ts";

/** Who runs where: what is measured has a core to itself, everything else shares another. */
export type Role = "subject" | "client";

const cores: Readonly<Record<Role, number>> = { client: 0, subject: 1 };

/** Whether processes are held to cores here; without it figures of different runs cannot be compared. */
export const isPinned = process.platform === "linux" && availableParallelism() > 1 && isInstalled("taskset");

/** Whether a program is on the path, or where only administrators look. */
export function isInstalled(program: string): boolean {
  return placeOf(program) !== undefined;
}

/** The path of a program; undefined when it is not installed. */
export function placeOf(program: string): string | undefined {
  const found = spawnSync("sh", ["-c", 'PATH="$PATH:/usr/sbin:/usr/local/sbin"; command -v "$0"', program]);
  return found.status === 0 ? found.stdout.toString().trim() : undefined;
}

/** A command and its arguments, held to its role's core where that can be done. */
export function pinnedCommand(role: Role, command: string, args: readonly string[]): [string, string[]] {
  return isPinned ? ["taskset", ["-c", String(cores[role]), command, ...args]] : [command, [...args]];
}

/** Moves all processes below one to a role's core, with every thread that they have. What they start later goes along. */
export function moveChildren(pid: number, role: Role): void {
  if (!isPinned) return;
  for (const child of childrenOf(pid)) {
    spawnSync("taskset", ["--all-tasks", "--cpu-list", "--pid", String(cores[role]), String(child)]);
  }
}

/** Lets a process and what it starts from now on run on the cores of both roles. */
export function unpin(pid: number): void {
  if (isPinned)
    spawnSync("taskset", ["--all-tasks", "--cpu-list", "--pid", Object.values(cores).join(","), String(pid)]);
}

/** A child process that was started for the bench. */
export interface PinnedProcess extends AsyncDisposable {
  readonly pid: number;
  /** Resolves with the first match in a line that it prints; rejects with all that it printed when it ends before. */
  line(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray>;
}

export interface PinnedOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Starts a process on its role's core with no environment but `env`. Disposing asks it to end, and then makes it. */
export function startPinned(
  role: Role,
  command: string,
  args: readonly string[],
  { env = {}, cwd = import.meta.dirname }: PinnedOptions = {},
): PinnedProcess {
  const [program, allArgs] = pinnedCommand(role, command, args);
  const path = process.env["PATH"] ?? "";
  const child = spawn(program, allArgs, { cwd, env: { PATH: path, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const printed: string[] = [];
  const listeners = new Set<(line: string) => void>();
  for (const stream of [child.stdout, child.stderr]) {
    readLines(stream, (line) => {
      if (printed.length < 200) printed.push(line);
      for (const listener of listeners) listener(line);
    });
  }
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  return {
    pid: child.pid ?? 0,
    line: (pattern, timeoutMs = 20_000) =>
      new Promise((resolve, reject) => {
        const stop = (): void => {
          listeners.delete(look);
          clearTimeout(timer);
        };
        const look = (line: string): void => {
          const found = pattern.exec(line);
          if (found === null) return;
          stop();
          resolve(found);
        };
        const give = (why: string) => (): void => {
          stop();
          reject(new Error(`${command} ${args[0] ?? ""} ${why}:\n${printed.join("\n")}`));
        };
        const timer = setTimeout(give(`said nothing like ${pattern}`), timeoutMs);
        listeners.add(look);
        for (const line of printed) look(line);
        void ended.then(give("has ended"));
      }),
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
      await ended;
      clearTimeout(timer);
    },
  };
}

function readLines(stream: Readable, listener: (line: string) => void): void {
  createInterface({ input: stream }).on("line", listener);
}
