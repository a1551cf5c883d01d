import type { Shell } from "../../src/cli/shell.ts";
import { runCommand } from "../../src/cli.ts";
import type { Clock } from "../../src/kernel/clock.ts";
import { systemClock } from "../../src/kernel/clock.ts";

/** What a command left behind. */
export interface CommandResult {
  readonly code: number;
  /** Lines of the standard output. */
  readonly out: readonly string[];
  /** All of the standard error. */
  readonly notes: string;
}

export interface TestShellOptions {
  readonly cwd: string;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
}

/** A terminal in memory: what is written to it can be read, and signals are sent by hand. */
export interface TestShell extends Shell {
  readonly lines: string[];
  readonly noted: string[];
  readonly exits: number[];
  stop(signal: "SIGINT" | "SIGTERM"): void;
  /** Resolves with the first output line that matches; rejects when the command that `ended` promises ends before. */
  line(pattern: RegExp, ended: Promise<number>): Promise<string>;
}

export function testShell({ cwd, input = "", env = {}, clock = systemClock }: TestShellOptions): TestShell {
  const lines: string[] = [];
  const noted: string[] = [];
  const exits: number[] = [];
  const stops = new Set<(signal: "SIGINT" | "SIGTERM") => void>();
  const watchers = new Set<() => void>();
  return {
    lines,
    noted,
    exits,
    clock,
    cwd,
    env: { GATEHOUSE_LOG_LEVEL: "silent", GATEHOUSE_ANALYTICS_MODE: "off", ...env },
    out(text) {
      lines.push(...text.split("\n"));
      for (const watcher of watchers) watcher();
    },
    note: (text) => void noted.push(text),
    readSecret: () => Promise.resolve(input),
    readInput: () => Promise.resolve(input),
    exit: (code) => void exits.push(code),
    onStop(call) {
      stops.add(call);
      return () => stops.delete(call);
    },
    stop(signal) {
      for (const call of stops) call(signal);
    },
    line(pattern, ended) {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      const look = (): void => {
        const found = lines.find((line) => pattern.test(line));
        if (found !== undefined) resolve(found);
      };
      watchers.add(look);
      look();
      void ended.then((code) => reject(new Error(`ended with ${code}: ${noted.join("\n")}`)));
      return promise.finally(() => watchers.delete(look));
    },
  };
}

/** Runs a command to its end. */
export async function command(args: readonly string[], options: TestShellOptions): Promise<CommandResult> {
  const shell = testShell(options);
  const code = await runCommand(args, shell);
  return { code, out: shell.lines, notes: shell.noted.join("\n") };
}
