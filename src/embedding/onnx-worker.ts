import { parentPort, workerData } from "node:worker_threads";
import { z } from "zod";

/** What the thread is started with. */
export interface OnnxWorkerData {
  /** File URL of the package; it is no dependency of ours, so its place is found where it was installed. */
  readonly packageUrl: string;
  /** The folder that holds the model's folder, or undefined for a model of the hub. */
  readonly localRoot: string | undefined;
  /** The name of the folder, or the hub's id. */
  readonly model: string;
  readonly download: boolean;
  readonly cacheFolder: string;
  readonly dtype: string;
  readonly pooling: "mean" | "cls";
}

/** What the thread says. The first message is `ready` or `failed`. */
export type OnnxMessage =
  | { readonly type: "ready" }
  | { readonly type: "failed"; readonly reason: string }
  /** Numbers of all vectors in one row. */
  | { readonly type: "vectors"; readonly numbers: Float32Array; readonly dimensions: number }
  | { readonly type: "error"; readonly reason: string };

/** What is used of transformers.js. */
interface TransformersPackage {
  readonly env: { allowRemoteModels: boolean; allowLocalModels: boolean; localModelPath: string; cacheDir: string };
  pipeline(task: "feature-extraction", model: string, options: object): Promise<Extractor>;
}

type Extractor = (
  texts: readonly string[],
  options: object,
) => Promise<{ readonly dims: readonly number[]; readonly data: Float32Array }>;

const requestSchema = z.array(z.string());

if (parentPort !== null) void serve(parentPort, workerData as OnnxWorkerData); // ours alone starts this thread

async function serve(port: NonNullable<typeof parentPort>, data: OnnxWorkerData): Promise<void> {
  const say = (message: OnnxMessage): void => port.postMessage(message);
  let extractor: Extractor;
  try {
    extractor = await load(data);
  } catch (error) {
    say({ type: "failed", reason: reasonOf(error) });
    return;
  }
  port.on("message", (request: unknown) => {
    extract(extractor, requestSchema.parse(request), data.pooling).then(say, (error: unknown) =>
      say({ type: "error", reason: reasonOf(error) }),
    );
  });
  say({ type: "ready" });
}

async function load(data: OnnxWorkerData): Promise<Extractor> {
  const { env, pipeline } = (await import(data.packageUrl)) as TransformersPackage; // its own types are not installed
  env.allowLocalModels = true;
  env.allowRemoteModels = data.download && data.localRoot === undefined;
  env.cacheDir = data.cacheFolder;
  env.localModelPath = data.localRoot ?? data.cacheFolder;
  return pipeline("feature-extraction", data.model, { dtype: data.dtype, device: "cpu" });
}

async function extract(extractor: Extractor, texts: readonly string[], pooling: "mean" | "cls"): Promise<OnnxMessage> {
  const { dims, data } = await extractor(texts, { pooling, normalize: false });
  const [count, dimensions] = dims;
  if (dims.length !== 2 || count !== texts.length || dimensions === undefined) {
    return {
      type: "error",
      reason: `the model gives an answer of the form ${dims.join("x")} for ${texts.length} texts`,
    };
  }
  return { type: "vectors", numbers: Float32Array.from(data), dimensions };
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 1_000);
}
