import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { PlaneMessage } from "./core/plane-message.ts";
import type { CompiledEmbedder } from "./embedding/define-embedder.ts";
import { builtInModelFolder } from "./embedding/static-embedder.ts";
import type { StaticModel } from "./embedding/static-model.ts";
import { loadStaticModel } from "./embedding/static-model.ts";
import type { UseMemory } from "./embedding/use-memory.ts";
import { createUseShelf } from "./embedding/use-shelf.ts";
import { createPersonalDataRemover } from "./guardrails/pii/without-personal-data.ts";
import type { Log } from "./kernel/log.ts";
import { writePrivateFile } from "./store/private-file.ts";

/** What policies learn from use, and what makes it forget. */
export interface LearntShelf extends AsyncDisposable {
  at(place: string, embedder: CompiledEmbedder): UseMemory;
  apply(message: PlaneMessage): void;
}

export interface LearntShelfParts {
  readonly log: Log;
  /** Where it is kept; without it, what was learnt ends with the process. */
  readonly directory?: string | undefined;
}

/**
 * A shelf for what policies learn from use: words of the built-in vocabulary only, and none that the recognisers of personal
 * data hit. Both are loaded by the first use. What is to be forgotten is forgotten once, however often it is told, and is
 * off the disk before it counts as forgotten.
 */
export function learnUses({ log, directory }: LearntShelfParts): LearntShelf {
  let model: StaticModel | undefined;
  let remover: ((text: string) => string) | undefined;
  const shelf = createUseShelf({
    log,
    directory,
    knowsWord(word) {
      model ??= loadStaticModel(builtInModelFolder);
      return model.tokenizer.knows(word);
    },
    withoutPersonalData(text) {
      remover ??= createPersonalDataRemover();
      return remover(text);
    },
  });
  const markPath = directory === undefined ? undefined : join(directory, "forgotten");
  let mark = markPath === undefined ? 0 : readMark(markPath);
  let marking = Promise.resolve();
  return {
    at: shelf.at,
    apply(message) {
      if (message.type !== "uses.forgotten") return;
      const news = message.forgotten.filter(({ number }) => number > mark);
      let count = 0;
      for (const { apiId, applicationId, entry } of news) {
        count += shelf.forget({
          owner: apiId ?? undefined,
          application: applicationId ?? undefined,
          entry: entry ?? undefined,
        });
      }
      mark = news.reduce((most, { number }) => Math.max(most, number), mark);
      if (count === 0 || markPath === undefined) return;
      const reached = mark;
      marking = marking
        .then(() => shelf.flush())
        .then(() => writePrivateFile(markPath, `${reached}\n`))
        .catch((error: unknown) => log.warn({ err: error }, "what was forgotten may be told of again"));
    },
    async [Symbol.asyncDispose]() {
      await marking;
      await shelf[Symbol.asyncDispose]();
    },
  };
}

function readMark(path: string): number {
  try {
    const mark = Number(readFileSync(path, "utf8"));
    return Number.isSafeInteger(mark) ? mark : 0;
  } catch {
    return 0; // nothing was ever forgotten here
  }
}
