import { Worker } from "node:worker_threads";
import type { Clock } from "../kernel/clock.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { Verdict } from "../pipeline/define-guardrail.ts";
import type { LongTextJudge } from "../pipeline/long-texts.ts";
import type { JudgeMessage, JudgeQuestion } from "./judge-worker.ts";

export interface JudgePoolOptions {
  readonly clock: Clock;
  /** Threads at most; each is started when it is first needed. */
  readonly threads?: number;
  /** Questions that may wait for a thread. */
  readonly mostWaiting?: number;
  /** From the question to its verdict. */
  readonly timeLimitMs?: number;
}

/**
 * Threads in which guardrails judge long texts. One that does not come to an end is stopped with its thread. Threads that
 * have nothing to do keep no process alive.
 */
export function createJudgePool(options: JudgePoolOptions): LongTextJudge {
  const { clock, threads = 2, mostWaiting = 64, timeLimitMs = 10_000 } = options;
  const running = new Set<Thread>();
  const waiting: Task[] = [];
  let isClosed = false;
  const isAt = (task: Task): boolean => [...running].some((thread) => thread.task === task);

  const next = (): void => {
    if (isClosed) return;
    const task = waiting[0];
    if (task === undefined) return;
    const idle = [...running].find(({ task: current }) => current === undefined);
    const thread = idle ?? (running.size < threads ? startThread(running, next) : undefined);
    if (thread === undefined) return;
    waiting.shift();
    thread.take(task);
  };

  const ask = (question: JudgeQuestion, signal: AbortSignal): Promise<unknown> => {
    if (isClosed || waiting.length >= mostWaiting) return Promise.reject(failed("too many long texts wait"));
    if (signal.aborted) return Promise.reject(failed("nobody waits for it any more"));
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const end = (settle: () => void): void => {
      cancel();
      signal.removeEventListener("abort", onAbort);
      const place = waiting.indexOf(task);
      if (place >= 0) waiting.splice(place, 1);
      settle();
    };
    const task: Task = {
      question,
      resolve: (answer) => end(() => resolve(answer)),
      reject: (error) => end(() => reject(error)),
    };
    // The time limit stays while a thread is at it: who leaves must not leave a thread behind that never comes to an end.
    const onAbort = (): void => {
      const left = failed("nobody waits for it any more");
      if (isAt(task)) reject(left);
      else task.reject(left);
    };
    const cancel = clock.after(timeLimitMs, () => {
      for (const thread of running) if (thread.task === task) void thread.stop();
      task.reject(failed(`no verdict after ${timeLimitMs} ms`));
    });
    signal.addEventListener("abort", onAbort);
    waiting.push(task);
    next();
    return promise;
  };

  return {
    judge: (question, signal) => ask({ ...question, asks: "verdict" }, signal) as Promise<Verdict>, // by what was asked
    search: (question, signal) => ask({ ...question, asks: "search" }, signal),
    async [Symbol.asyncDispose]() {
      isClosed = true;
      for (const task of waiting.splice(0)) task.reject(failed("the gateway stops"));
      await Promise.all([...running].map((thread) => thread.stop()));
    },
  };
}

interface Task {
  readonly question: JudgeQuestion;
  resolve(answer: unknown): void;
  reject(error: GatewayError): void;
}

interface Thread {
  readonly task: Task | undefined;
  take(task: Task): void;
  stop(): Promise<unknown>;
}

function startThread(running: Set<Thread>, onIdle: () => void): Thread {
  const worker = new Worker(new URL("./judge-worker.ts", import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: 256 },
  });
  let current: Task | undefined;
  const done = (settle: (task: Task) => void): void => {
    const task = current;
    current = undefined;
    worker.unref();
    if (task !== undefined) settle(task);
    onIdle();
  };
  const ended = (reason: string): void => {
    running.delete(thread);
    done((task) => task.reject(failed(reason)));
  };
  worker.on("message", (message: JudgeMessage) =>
    done((task) => (message.type === "answer" ? task.resolve(message.answer) : task.reject(failed(message.reason)))),
  );
  worker.on("error", (error: unknown) => ended(error instanceof Error ? error.message : String(error)));
  worker.on("exit", (code) => ended(`the thread has ended with ${code}`));
  const thread: Thread = {
    get task() {
      return current;
    },
    take(task) {
      current = task;
      worker.ref();
      worker.postMessage(task.question);
    },
    stop() {
      running.delete(thread);
      return worker.terminate();
    },
  };
  running.add(thread);
  return thread;
}

function failed(detail: string): GatewayError {
  return new GatewayError("policy.failed", "A long text could not be judged.", { detail });
}
