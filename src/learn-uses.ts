import { builtInModelFolder } from "./embedding/static-embedder.ts";
import type { StaticModel } from "./embedding/static-model.ts";
import { loadStaticModel } from "./embedding/static-model.ts";
import type { UseShelf } from "./embedding/use-shelf.ts";
import { createUseShelf } from "./embedding/use-shelf.ts";
import { createPersonalDataRemover } from "./guardrails/pii/without-personal-data.ts";

/**
 * A shelf for what policies learn from use: words of the built-in vocabulary only, and none that the recognisers of personal
 * data hit. Both are loaded by the first use.
 */
export function learnUses(): UseShelf {
  let model: StaticModel | undefined;
  let remover: ((text: string) => string) | undefined;
  return createUseShelf({
    knowsWord(word) {
      model ??= loadStaticModel(builtInModelFolder);
      return model.tokenizer.knows(word);
    },
    withoutPersonalData(text) {
      remover ??= createPersonalDataRemover();
      return remover(text);
    },
  });
}
