import type { CompiledEmbedder } from "../../src/embedding/define-embedder.ts";
import { createHybridIndex } from "../../src/embedding/hybrid-index.ts";
import { createUseMemory } from "../../src/embedding/use-memory.ts";
import { recallAt5 } from "./measure-retrieval.ts";
import { seededRandom, shuffled } from "./random.ts";
import type { Request, ToolSet } from "./read-sets.ts";

/** Recall at 5 in per cent before and after. */
export interface LearningFigures {
  readonly before: number;
  /** Asked by the application whose requests were remembered. */
  readonly own: number;
  /** Asked by a third application, where two others led to the tools. */
  readonly shared: number;
  /** Of tools without a history, where a history of the others pushes forward: before and after. */
  readonly strangersBefore: number;
  readonly strangersAfter: number;
}

export interface LearningParts {
  readonly embedder: CompiledEmbedder;
  readonly knowsWord: (word: string) => boolean;
}

/** Five requests per tool are its history, drawn by the seed; the rest is asked. */
export async function measureLearning(set: ToolSet, parts: LearningParts, seed: number): Promise<LearningFigures> {
  const random = seededRandom(seed);
  const { history, asked } = split(shuffled(set.requests, random));
  const halves = shuffled([...history.keys()], random);
  const taught = new Set(halves.slice(0, Math.floor(halves.length / 2)));
  const isStranger = ({ right }: Request) => right.every((id) => !taught.has(id));
  const partly = new Map([...history].filter(([id]) => taught.has(id)));
  const strangers = asked.filter(isStranger);
  return {
    before: await recall(set, parts, new Map(), asked, "a"),
    own: await recall(set, parts, history, asked, "a"),
    shared: await recall(set, parts, history, asked, "z"),
    strangersBefore: await recall(set, parts, new Map(), strangers, "a"),
    strangersAfter: await recall(set, parts, partly, strangers, "a"),
  };
}

type History = ReadonlyMap<string, readonly string[]>;

async function recall(
  set: ToolSet,
  { embedder, knowsWord }: LearningParts,
  history: History,
  asked: readonly Request[],
  application: string,
): Promise<number> {
  const memory = createUseMemory({ embedder, knowsWord, withoutPersonalData: (text) => text });
  const index = createHybridIndex({ embedder, memory });
  await index.update({ set: set.entries });
  for (const [entry, texts] of history) {
    for (const [at, text] of texts.entries()) {
      // The one who asks taught everything, or two others shared the work.
      await memory.absorb({ entry, text, application: application === "a" || at % 2 === 0 ? "a" : "b" });
    }
  }
  let sum = 0;
  for (const { text, right } of asked) sum += recallAt5(await index.rank(text, { limit: 5, application }), right);
  return (100 * sum) / asked.length;
}

function split(requests: readonly Request[]): { readonly history: History; readonly asked: readonly Request[] } {
  const history = new Map<string, string[]>();
  const asked: Request[] = [];
  for (const request of requests) {
    const [id = ""] = request.right;
    const texts = history.get(id) ?? [];
    history.set(id, texts);
    if (texts.length < 5) texts.push(request.text);
    else asked.push(request);
  }
  return { history, asked };
}
