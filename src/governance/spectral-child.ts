import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { realpathSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { setPriority } from "node:os";
import { extname, join, sep } from "node:path";
import type { Clock } from "../kernel/clock.ts";
import { defaultRulesetFolder } from "./default-rulesets.ts";
import type { ChildAnswer, ChildQuestion } from "./spectral/child-messages.ts";
import { childAnswerSchema } from "./spectral/child-messages.ts";

/** How a question ended. */
export type ChildOutcome =
  | Exclude<ChildAnswer, { readonly type: "ready" }>
  /** It took too long, or too much memory: the process was ended. */
  | { readonly type: "cut-off"; readonly reason: string }
  /** The process ended though nothing was wrong with the question, as far as is known. */
  | { readonly type: "lost"; readonly reason: string };

/** A process that holds documents against rulesets, one at a time. Started at the first question, and again after its end. */
export interface SpectralChild extends AsyncDisposable {
  readonly pid: number | undefined;
  /** Starts it before the first question, for whoever has other work until then. */
  prepare(): void;
  ask(question: Omit<ChildQuestion, "id">, timeoutMs: number): Promise<ChildOutcome>;
}

export interface SpectralChildOptions {
  readonly clock: Clock;
  /** MiB of heap. */
  readonly memoryMiB?: number;
  /** `low` leaves the processor to what is served beside it, which is so when absent. */
  readonly priority?: "low" | "usual";
}

const startWithinMs = 60_000;

/**
 * The process: without an environment, so that no key of ours reaches it; with Node's permission to read its own code, rules
 * and packages, and for nothing else on disk, for no process and no worker; without a way to the network (`lock-down.ts`); of
 * low priority unless told otherwise, so that what is served goes first.
 */
export function createSpectralChild({ clock, memoryMiB = 512, priority = "low" }: SpectralChildOptions): SpectralChild {
  let running: { readonly child: ChildProcess; readonly ready: Promise<string | undefined> } | undefined;
  let lastId = 0;
  let isDisposed = false;

  const start = () => {
    const child = fork(program, [], {
      cwd: packageFolders[0],
      env: {},
      execArgv: nodeOptions(memoryMiB),
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    if (priority === "low") lower(child);
    const lastWords = collectWords(child);
    const { promise: ready, resolve } = Promise.withResolvers<string | undefined>();
    child.once("message", () => resolve(undefined));
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(`${signal ?? `exit ${code}`} ${lastWords()}`.trim()));
    child.once("exit", () => {
      if (running?.child === child) running = undefined;
    });
    running = { child, ready };
    return running;
  };

  return {
    get pid() {
      return running?.child.pid;
    },
    prepare() {
      if (!isDisposed && running === undefined) start();
    },
    async ask(question, timeoutMs) {
      if (isDisposed) return { type: "lost", reason: "it is being stopped" };
      const { child, ready } = running ?? start();
      const forgetStart = clock.after(startWithinMs, () => child.kill("SIGKILL"));
      const failed = await ready;
      forgetStart();
      if (failed !== undefined) return { type: "lost", reason: failed };
      lastId += 1;
      return askRunning(child, { ...question, id: lastId }, timeoutMs, clock);
    },
    async [Symbol.asyncDispose]() {
      isDisposed = true;
      if (running === undefined) return;
      const { child } = running;
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await ended;
    },
  };
}

function askRunning(
  child: ChildProcess,
  question: ChildQuestion,
  timeoutMs: number,
  clock: Clock,
): Promise<ChildOutcome> {
  const { promise, resolve } = Promise.withResolvers<ChildOutcome>();
  let cutOff: string | undefined;
  const forget = clock.after(timeoutMs, () => {
    cutOff = `not done after ${timeoutMs} ms`;
    child.kill("SIGKILL");
  });
  const hear = (message: unknown): void => {
    const answer = childAnswerSchema.safeParse(message).data;
    if (answer !== undefined && answer.type !== "ready" && answer.id === question.id) resolve(answer);
  };
  const end = (code: number | null, signal: NodeJS.Signals | null): void => {
    // V8 ends a process that has no memory left by SIGABRT, or with the code that shells give for it.
    const isOutOfMemory = signal === "SIGABRT" || code === 134;
    const reason = cutOff ?? (isOutOfMemory ? "out of memory" : (signal ?? `exit ${code}`));
    resolve(cutOff !== undefined || isOutOfMemory ? { type: "cut-off", reason } : { type: "lost", reason });
  };
  child.on("message", hear);
  child.once("exit", end);
  child.send(question, (error) => {
    if (error !== null) resolve({ type: "lost", reason: error.message });
  });
  return promise.finally(() => {
    forget();
    child.off("message", hear);
    child.off("exit", end);
  });
}

/** Among what is composed of several parts, as its rules judge texts by what guardrails know. */
const program = join(import.meta.dirname, "..", `run-spectral${extname(import.meta.filename)}`);

/** Where packages and our code are: the installer may have put ours among the others, or each elsewhere. */
const packageFolders = [join(import.meta.dirname, "../..")];

function nodeOptions(memoryMiB: number): string[] {
  const code = join(import.meta.dirname, "..");
  const own = [code, join(code, "../package.json"), defaultRulesetFolder];
  const readable = new Set([...own, ...modulesFolders()].flatMap(withRealPath));
  return [
    "--permission",
    ...[...readable].map((path) => `--allow-fs-read=${path}`),
    `--max-old-space-size=${memoryMiB}`,
    "--disable-warning=ExperimentalWarning",
  ];
}

const packages = ["@stoplight/spectral-core", "@stoplight/spectral-owasp-ruleset", "@ibm-cloud/openapi-ruleset", "zod"];

function modulesFolders(): readonly string[] {
  const marker = `${sep}node_modules${sep}`;
  return packages.flatMap((name) => {
    const found = findPackageJSON(name, import.meta.url);
    return found === undefined ? [] : [found.slice(0, found.lastIndexOf(marker) + marker.length - 1)];
  });
}

function withRealPath(path: string): readonly string[] {
  try {
    return [path, realpathSync(path)];
  } catch {
    return [path];
  }
}

function lower(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    setPriority(child.pid, 10);
  } catch {
    // It may have ended, or the system may not allow it: then it is as any other.
  }
}

function collectWords(child: ChildProcess): () => string {
  let last = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    last = `${last}${text}`.slice(-2_000);
  });
  return () => last;
}
