import { z } from "zod";
import { defineEmbedder } from "./define-embedder.ts";
import { createOnnxEmbedder } from "./onnx-embedder.ts";
import { thresholdsSchema, withThresholds } from "./threshold-schema.ts";

/** Start values for sentence models of MiniLM's kind; not measured here. */
const thresholds = { route: 0.45, tool: 0.4, guard: 0.55, cache: 0.9 };

/** Sentence models in ONNX, through transformers.js, where that is installed. */
export const onnx = defineEmbedder({
  id: "onnx",
  title: "ONNX",
  summary: "Any ONNX sentence model, from a folder or a model hub, in a thread of its own.",
  config: z.strictObject({
    model: z.string().min(1).max(4_096).meta({
      title: "Model",
      description:
        "A folder (an absolute path, or one that begins with `./`) with `config.json`, `tokenizer.json` and `onnx/model.onnx`; or a hub's id such as `Xenova/all-MiniLM-L6-v2`.",
    }),
    download: z.boolean().default(false).meta({
      title: "Download",
      description: "Whether a hub's model may be fetched over the network. It is kept in the cache folder.",
    }),
    cacheFolder: z.string().min(1).max(4_096).default(".gatehouse/models").meta({
      title: "Cache folder",
      description: "Where downloaded models are kept.",
    }),
    dtype: z.enum(["fp32", "fp16", "q8", "int8", "uint8", "q4"]).default("q8").meta({
      title: "Weights",
      description: "Which file of the model: `fp32` is `model.onnx`, `q8` is `model_quantized.onnx`, and so on.",
    }),
    pooling: z.enum(["mean", "cls"]).default("mean").meta({
      title: "Pooling",
      description: "How the vectors of tokens become one: as the model was trained.",
    }),
    prefix: z.string().max(1_000).default("").meta({
      title: "Prefix",
      description: "Put before each text, for models that were trained with one, such as `query: `.",
    }),
    timeoutMs: z.int().min(100).max(600_000).default(30_000).meta({
      title: "Timeout",
      description: "Milliseconds for one batch; the thread is ended then, and begun anew by the next text.",
    }),
    loadTimeoutMs: z.int().min(1_000).max(3_600_000).default(120_000).meta({
      title: "Load timeout",
      description: "Milliseconds for loading the model.",
    }),
    maxBatchTexts: z.int().min(1).max(1_024).default(32).meta({
      title: "Texts at once",
      description: "In one run of the model.",
    }),
    thresholds: thresholdsSchema,
  }),
  examples: [{ model: "./models/all-MiniLM-L6-v2" }, { model: "Xenova/all-MiniLM-L6-v2", download: true }],
  compile: (config, tools) =>
    createOnnxEmbedder({ ...config, thresholds: withThresholds(thresholds, config.thresholds) }, tools),
});
