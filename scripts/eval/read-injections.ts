import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { parseJson } from "../../src/kernel/parse-json.ts";

const families = z.looseObject({
  families: z.record(
    z.string(),
    z.strictObject({ split: z.enum(["train", "dev", "held-back"]), texts: z.array(z.string()).min(1) }),
  ),
});

/** A text, whose idea it shares, and what it may be used for. */
export interface FamilyText {
  readonly family: string;
  readonly split: "train" | "dev" | "held-back";
  readonly text: string;
}

/** Injections and harmless texts below `folder`. Throws where a file is not of the known shape. */
export function readInjections(folder: string): {
  readonly injections: readonly FamilyText[];
  readonly benign: readonly FamilyText[];
} {
  return { injections: readFamilies(folder, "injections"), benign: readFamilies(folder, "benign") };
}

/** The same of a set by somebody who knew neither the patterns nor the texts above. */
export function readInjectionsApart(folder: string): ReturnType<typeof readInjections> {
  return { injections: readFamilies(folder, "injections-apart"), benign: readFamilies(folder, "benign-apart") };
}

function readFamilies(folder: string, name: string): readonly FamilyText[] {
  const file = families.parse(parseJson(readFileSync(join(folder, "injection", `${name}.json`), "utf8")));
  return Object.entries(file.families).flatMap(([family, { split, texts }]) =>
    texts.map((text) => ({ family, split, text })),
  );
}
