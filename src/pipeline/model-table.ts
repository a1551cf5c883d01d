import { z } from "zod";
import type { ModelFacts } from "../core/model-facts.ts";
import { modelFactsSchema } from "../core/model-facts.ts";
import { globMatcher } from "../kernel/glob.ts";

/** What is known of a model by the name that its provider knows; undefined where nothing is. */
export type FactsOf = (model: string) => ModelFacts | undefined;

/** Built-in facts, by the id of a provider's plug-in. */
export interface ModelTable {
  provider(id: string): FactsOf;
}

const tableSchema = z.looseObject({
  asOf: z.iso.date(),
  providers: z.record(z.string(), z.looseObject({ source: z.url(), models: z.record(z.string(), modelFactsSchema) })),
});

/** The table of `assets/models.json`. Throws a `ZodError` for what is no such table. */
export function createModelTable(data: unknown): ModelTable {
  const { providers } = tableSchema.parse(data);
  const known = new Map(Object.entries(providers).map(([id, { models }]) => [id, new Map(Object.entries(models))]));
  return {
    // A dated version takes what its model takes, unless it stands in the table itself.
    provider: (id) => (model) => known.get(id)?.get(model) ?? known.get(id)?.get(model.replace(dateSuffix, "")),
  };
}

/** Nothing is known of any model. */
export const noModels: ModelTable = { provider: () => () => undefined };

const dateSuffix = /-(\d{4}-\d{2}-\d{2}|\d{8})$/;

/** Facts of one account: what the operator has written, by globs in their order, then the built-in ones. */
export function accountFacts(written: Readonly<Record<string, ModelFacts>> | undefined, builtIn: FactsOf): FactsOf {
  const own = Object.entries(written ?? {}).map(([glob, facts]) => ({ fits: globMatcher([glob]), facts }));
  if (own.length === 0) return builtIn;
  return (model) => {
    const first = own.find(({ fits }) => fits(model))?.facts;
    return first === undefined ? builtIn(model) : { ...builtIn(model), ...first };
  };
}
