import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { GatewayError } from "../kernel/errors.ts";
import type { CompiledEmbedder, EmbedderThresholds, EmbedderTools } from "./define-embedder.ts";
import { createFailureRest } from "./failure-rest.ts";
import type { OnnxThread } from "./onnx-thread.ts";
import type { OnnxWorkerData } from "./onnx-worker.ts";
import { readVectors } from "./read-vectors.ts";

export interface OnnxEmbedderOptions {
  /** A folder (absolute, or beginning with a dot), or a hub's id. */
  readonly model: string;
  readonly download: boolean;
  readonly cacheFolder: string;
  readonly dtype: string;
  readonly pooling: "mean" | "cls";
  readonly prefix: string;
  readonly timeoutMs: number;
  readonly loadTimeoutMs: number;
  readonly maxBatchTexts: number;
  readonly thresholds: EmbedderThresholds;
  /** Files or folders from which the package is looked for; our own and the working directory when absent. */
  readonly packageFrom?: readonly string[];
}

/** A text's head in characters: no sentence model reads more, and its tokenizer need not either. */
const maxTextCharacters = 20_000;
const idleMs = 600_000;
const breaker = { failures: 3, openMs: 10_000 };

/**
 * An embedder over a thread of its own, which is started by the first text, ended after ten idle minutes, and begun anew
 * after it was ended or died. Throws `config.invalid` for a folder that lacks a file and where transformers.js is not
 * installed.
 */
export function createOnnxEmbedder(options: OnnxEmbedderOptions, { clock }: EmbedderTools): CompiledEmbedder {
  const rest = createFailureRest({ clock, ...breaker });
  let thread: OnnxThread | undefined;
  let dimensions: number | undefined;
  let lastRun: Promise<unknown> = Promise.resolve();
  let cancelIdle = (): void => undefined;
  let known: string | undefined;
  const modelId = (): string => (known ??= modelIdOf(options));

  const started = async (): Promise<OnnxThread> => {
    if (thread?.isAlive === true) return thread;
    const data = workerDataOf(options);
    const { startOnnxThread } = await import("./onnx-thread.ts");
    thread = await startOnnxThread(data, options.loadTimeoutMs, clock);
    return thread;
  };
  const run = async (texts: readonly string[]): Promise<readonly (Float32Array | undefined)[]> => {
    cancelIdle();
    const waitMs = rest.waitMs();
    if (waitMs > 0) {
      throw new GatewayError("upstream.unavailable", "The embedding model has failed too often and is left alone.", {
        detail: modelId(),
        retryAfterMs: Math.ceil(waitMs),
      });
    }
    try {
      const { numbers, dimensions: length } = await (await started()).run(texts, options.timeoutMs);
      const data = texts.map((_, index) => ({
        index,
        embedding: [...numbers.subarray(index * length, (index + 1) * length)],
      }));
      const vectors = readVectors(data, texts.length, { modelId: modelId(), dimensions });
      dimensions ??= length;
      rest.note("good");
      return vectors;
    } catch (error) {
      rest.note("bad");
      throw error;
    } finally {
      cancelIdle = clock.after(idleMs, () => void thread?.[Symbol.asyncDispose]());
    }
  };
  const inTurn = (texts: readonly string[]): Promise<readonly (Float32Array | undefined)[]> => {
    const result = lastRun.then(() => run(texts));
    lastRun = result.catch(() => undefined);
    return result;
  };
  return {
    get modelId() {
      return modelId();
    },
    get dimensions() {
      return dimensions;
    },
    thresholds: options.thresholds,
    async embed(texts, signal) {
      const sent = texts.flatMap((text, position) => (text.trim() === "" ? [] : [position]));
      const found = texts.map((): Float32Array | undefined => undefined);
      for (let from = 0; from < sent.length; from += options.maxBatchTexts) {
        const batch = sent.slice(from, from + options.maxBatchTexts);
        const heads = batch.map((at) => options.prefix + headOf(texts[at] ?? ""));
        const vectors = await orLeave(inTurn(heads), signal);
        for (const [index, vector] of vectors.entries()) found[batch[index] ?? -1] = vector;
      }
      return found;
    },
    async dispose() {
      cancelIdle();
      await thread?.[Symbol.asyncDispose]();
    },
  };
}

function headOf(text: string): string {
  return text.trim().slice(0, maxTextCharacters).toWellFormed();
}

/** The result, or `client.closed` as soon as the caller has left; the run itself goes on. */
async function orLeave<Result>(result: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (signal === undefined) return result;
  const left = Promise.withResolvers<never>();
  const leave = (): void => left.reject(new GatewayError("client.closed", "The call was abandoned."));
  signal.addEventListener("abort", leave, { once: true });
  if (signal.aborted) leave();
  try {
    return await Promise.race([result, left.promise]);
  } finally {
    signal.removeEventListener("abort", leave);
    result.catch(() => undefined);
  }
}

function isFolder(model: string): boolean {
  return isAbsolute(model) || model.startsWith(".");
}

/** The hub's id, or the folder's name with a hash of what stands in it, and all that changes its vectors. */
function modelIdOf({ model, dtype, pooling, prefix }: OnnxEmbedderOptions): string {
  const manner = `${dtype},${pooling}${prefix === "" ? "" : `,${JSON.stringify(prefix)}`}`;
  if (!isFolder(model)) return `onnx/${model}@${manner}`;
  const folder = checkFolder(model);
  const hash = createHash("sha256");
  for (const name of ["config.json", "tokenizer.json"]) hash.update(readFileSync(join(folder, name)));
  const weights = statSync(join(folder, "onnx", weightsFile(dtype)), { throwIfNoEntry: false });
  hash.update(`${weights?.size} ${weights?.mtimeMs}`); // the weights are too large to be read for their name
  return `onnx/${basename(folder)}-${hash.digest("hex").slice(0, 12)}@${manner}`;
}

function checkFolder(model: string): string {
  const folder = resolve(model);
  const missing = ["config.json", "tokenizer.json", "tokenizer_config.json", "onnx"].filter(
    (name) => !existsSync(join(folder, name)),
  );
  if (missing.length === 0) return folder;
  const message = `The folder ${folder} is no ONNX sentence model: it lacks ${missing.join(", ")}.`;
  throw new GatewayError("config.invalid", message);
}

/** The names that transformers.js gives to the files of its `dtype`s. */
function weightsFile(dtype: string): string {
  const suffix = { fp32: "", q8: "_quantized" }[dtype] ?? `_${dtype}`;
  return `model${suffix}.onnx`;
}

function workerDataOf(options: OnnxEmbedderOptions): OnnxWorkerData {
  const { model, dtype, pooling, download } = options;
  const common = { dtype, pooling, download, cacheFolder: resolve(options.cacheFolder) };
  if (!isFolder(model)) return { ...common, packageUrl: packageUrl(options), localRoot: undefined, model };
  const folder = checkFolder(model);
  if (!existsSync(join(folder, "onnx", weightsFile(dtype)))) {
    const message = `The folder ${folder} has no onnx/${weightsFile(dtype)}; \`dtype\` chooses the file.`;
    throw new GatewayError("config.invalid", message);
  }
  return { ...common, packageUrl: packageUrl(options), localRoot: `${dirname(folder)}/`, model: basename(folder) };
}

function packageUrl({
  packageFrom = [import.meta.filename, join(process.cwd(), "package.json")],
}: OnnxEmbedderOptions): string {
  for (const from of packageFrom) {
    try {
      return pathToFileURL(createRequire(from).resolve("@huggingface/transformers")).href;
    } catch {
      continue; // the next place
    }
  }
  throw new GatewayError(
    "config.invalid",
    "ONNX models need a package that is not installed: npm install @huggingface/transformers@4",
  );
}
