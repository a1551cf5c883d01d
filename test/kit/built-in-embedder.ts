import type { CompiledEmbedder, EmbedderTools } from "../../src/embedding/define-embedder.ts";
import { staticEmbedder } from "../../src/embedding/static-embedder.ts";
import { manualClock } from "./manual-clock.ts";

const nothing = (): never => {
  throw new Error("the built-in model needs nothing from outside");
};

/** Tools that throw when they are used. */
export const embedderTools: EmbedderTools = {
  clock: manualClock(),
  log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
  fetch: Object.assign(nothing, { [Symbol.asyncDispose]: async () => {} }),
  secrets: { read: nothing },
};

/** The model that ships, loaded at its first text. */
export const builtIn: CompiledEmbedder = staticEmbedder.compile({}, embedderTools);
