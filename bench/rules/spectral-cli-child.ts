import { createRequire } from "node:module";
import type * as Core from "@stoplight/spectral-core";
import type * as Parsers from "@stoplight/spectral-parsers";
import { clientFile } from "../../test/clients/install-clients.ts";

// What spectral-cli does with one document once its ruleset is there (its services/linter/linter.js), with its own
// packages, timed inside: asked by messages `{ text, ruleset }`, answers `{ ms, findings }`. The ruleset is a file's path.

const load = createRequire(clientFile("@stoplight/spectral-cli/dist/index.js"));
// Each the package of that name, and what the command itself calls.
const { Spectral, Document } = load("@stoplight/spectral-core") as typeof Core;
const { Yaml } = load("@stoplight/spectral-parsers") as typeof Parsers;
const { getResolver } = load("./services/linter/utils/getResolver") as {
  readonly getResolver: (
    resolver: undefined,
  ) => NonNullable<ConstructorParameters<typeof Core.Spectral>[0]>["resolver"];
};
const { getRuleset } = load("./services/linter/utils") as {
  readonly getRuleset: (file: string) => Promise<Core.Ruleset>;
};
const rulesets = new Map<string, Core.Ruleset>();

process.on("message", ({ text, ruleset }: { readonly text: string; readonly ruleset: string }) => {
  void evaluate(text, ruleset).then((answer) => process.send?.(answer));
});
process.on("disconnect", () => process.exit(0));

async function evaluate(text: string, file: string): Promise<{ readonly ms: number; readonly findings: number }> {
  const ruleset = rulesets.get(file) ?? (await getRuleset(file));
  rulesets.set(file, ruleset);
  const startedMs = performance.now();
  const resolver = getResolver(undefined);
  const spectral = new Spectral({ ...(resolver && { resolver }) });
  spectral.setRuleset(ruleset);
  const results = await spectral.run(new Document(text, Yaml, "/api.json"), { ignoreUnknownFormat: true });
  return { ms: performance.now() - startedMs, findings: results.length };
}
