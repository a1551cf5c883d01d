import { z } from "zod";
import type { ControlOptions } from "./common-options.ts";
import { openControlClient } from "./control-client.ts";
import { readDocuments } from "./read-documents.ts";
import type { Shell } from "./shell.ts";

export interface ApplyOptions extends ControlOptions {
  readonly file: readonly string[];
  readonly dryRun?: boolean;
  readonly draft?: boolean;
}

/** Creates and changes resources from files, all or none, and prints what became of each. */
export async function apply(options: ApplyOptions, shell: Shell): Promise<void> {
  const documents = await readDocuments(options.file, shell);
  await using control = await openControlClient(options, shell);
  const { dryRun = false, draft = false } = options;
  const answer = answerSchema.parse(await control.call("POST", "/api/v1/apply", { documents, dryRun, draft }));
  for (const { change, kind, name } of answer.applied) shell.out(`${change} ${kind}/${name}`);
  if (dryRun) shell.note("This was a dry run: nothing has been changed.");
}

const answerSchema = z.looseObject({
  applied: z.array(z.looseObject({ change: z.string(), kind: z.string(), name: z.string() })),
});
