import { createHash } from "node:crypto";
import type { EmbeddingsRequest } from "./demo-request.ts";
import { demoTokens } from "./demo-tokens.ts";

/** The answer to an embeddings request: unit vectors that depend on the words alone, so that like texts are near. */
export function demoEmbeddings(request: EmbeddingsRequest): unknown {
  const inputs = inputsOf(request.input);
  const size = request.dimensions ?? 256;
  const data = inputs.map((words, index) => {
    const vector = embed(words, size);
    const embedding =
      request.encoding_format === "base64" ? Buffer.from(vector.buffer).toString("base64") : [...vector];
    return { object: "embedding", index, embedding };
  });
  const tokens = inputs.reduce((sum, words) => sum + words.length, 0);
  return { object: "list", data, model: request.model, usage: { prompt_tokens: tokens, total_tokens: tokens } };
}

function inputsOf(input: EmbeddingsRequest["input"]): readonly (readonly string[])[] {
  if (typeof input === "string") return [demoTokens(input)];
  const numbers = input.filter((item) => typeof item === "number");
  if (numbers.length > 0) return [numbers.map(String)];
  return input.flatMap((item) => {
    if (typeof item === "string") return [demoTokens(item)];
    return typeof item === "number" ? [] : [item.map(String)];
  });
}

function embed(words: readonly string[], size: number): Float32Array {
  const vector = new Float32Array(size);
  for (const word of words) {
    const hash = createHash("sha256").update(word.trim().toLowerCase()).digest();
    for (let at = 0; at < 32; at += 4) {
      const slot = hash.readUInt16LE(at) % size;
      vector[slot] = (vector[slot] ?? 0) + (hash.readUInt8(at + 2) % 2 === 0 ? 1 : -1);
    }
  }
  const length = Math.hypot(...vector);
  if (length === 0) vector[0] = 1;
  return length === 0 ? vector : vector.map((value) => value / length);
}
