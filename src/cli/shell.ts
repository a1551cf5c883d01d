import type { Clock } from "../kernel/clock.ts";

/** What a command has of the terminal it was called from; tests put their own in its place. */
export interface Shell {
  /** A line of the command's result, to the standard output. */
  out(line: string): void;
  /** A line for the person at the terminal, to the standard error: progress, hints, faults. */
  note(line: string): void;
  /** All of the standard input. At a terminal it asks with `question` first and shows nothing of what is typed. */
  readSecret(question: string): Promise<string>;
  /** All of the standard input, as text. */
  readInput(): Promise<string>;
  /** Calls at SIGINT and SIGTERM, each time. The result takes the call back. */
  onStop(call: (signal: "SIGINT" | "SIGTERM") => void): () => void;
  /** Ends the process at once. */
  exit(code: number): void;
  readonly clock: Clock;
  readonly cwd: string;
  /** The environment of the configuration; the process's own when absent. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}
