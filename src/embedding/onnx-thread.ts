import { Worker } from "node:worker_threads";
import type { Clock } from "../kernel/clock.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { OnnxMessage, OnnxWorkerData } from "./onnx-worker.ts";

/** A thread with one loaded model. It answers one request after the other. */
export interface OnnxThread extends AsyncDisposable {
  readonly isAlive: boolean;
  /** Ends the thread when it takes longer than `timeoutMs`. One request at a time. */
  run(
    texts: readonly string[],
    timeoutMs: number,
  ): Promise<{ readonly numbers: Float32Array; readonly dimensions: number }>;
}

/**
 * Starts the thread and loads the model. Throws `config.invalid` with what the library said of a model that it cannot
 * load, and `upstream.timeout`.
 */
export async function startOnnxThread(data: OnnxWorkerData, loadTimeoutMs: number, clock: Clock): Promise<OnnxThread> {
  const worker = new Worker(new URL("./onnx-worker.ts", import.meta.url), { workerData: data });
  let isAlive = true;
  let answer: ((message: OnnxMessage | GatewayError) => void) | undefined;
  const hand = (message: OnnxMessage | GatewayError): void => {
    const waiting = answer;
    answer = undefined;
    worker.unref(); // an idle thread keeps no process alive
    waiting?.(message);
  };
  const end = (detail: string, cause?: unknown): void => {
    isAlive = false;
    hand(new GatewayError("upstream.unavailable", "The embedding model's thread has ended.", { detail, cause }));
  };
  worker.on("message", (message: OnnxMessage) => hand(message));
  worker.on("error", (error: unknown) => end(error instanceof Error ? error.message : String(error), error));
  worker.on("exit", (code) => end(`${data.model}: exit code ${code}`));

  const next = async (timeoutMs: number): Promise<OnnxMessage> => {
    const { promise, resolve } = Promise.withResolvers<OnnxMessage | GatewayError>();
    answer = resolve;
    worker.ref();
    const cancel = clock.after(timeoutMs, () => {
      isAlive = false;
      const detail = `${data.model} after ${timeoutMs} ms`;
      hand(new GatewayError("upstream.timeout", "The embedding model did not answer in time.", { detail }));
      void worker.terminate();
    });
    const message = await promise;
    cancel();
    if (message instanceof GatewayError) throw message;
    return message;
  };

  const first = await next(loadTimeoutMs);
  if (first.type !== "ready") {
    await worker.terminate();
    throw new GatewayError("config.invalid", `The ONNX model cannot be loaded: ${reasonOf(first)}`, {
      detail: data.model,
    });
  }
  return {
    get isAlive() {
      return isAlive;
    },
    async run(texts, timeoutMs) {
      if (!isAlive) throw new GatewayError("upstream.unavailable", "The embedding model's thread has ended.");
      worker.postMessage(texts);
      const message = await next(timeoutMs);
      if (message.type === "vectors") return message;
      throw new GatewayError("upstream.invalid", "The embedding model failed.", {
        detail: reasonOf(message),
      });
    },
    async [Symbol.asyncDispose]() {
      isAlive = false;
      await worker.terminate();
    },
  };
}

function reasonOf(message: OnnxMessage): string {
  return "reason" in message ? message.reason : `unexpected: ${message.type}`;
}
