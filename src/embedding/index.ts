import type { EmbedderPlugin } from "./define-embedder.ts";
import { onnx } from "./onnx.ts";
import { openaiShaped } from "./openai-shaped.ts";
import { staticEmbedder } from "./static-embedder.ts";

/** All embedders of this build. */
export const embedders: readonly EmbedderPlugin[] = [staticEmbedder, ...openaiShaped, onnx];
