import { expect, test } from "vitest";
import type { ProtocolAdapter } from "../../src/pipeline/adapter.ts";
import { modelAccess } from "../../src/policies/model-access.ts";
import { buildExchange, buildOperation, buildTools } from "../kit/exchange.ts";
import { textAdapter } from "../kit/text-adapter.ts";

const ofModels: ProtocolAdapter = { ...textAdapter, tokenDemand: () => undefined };

test.each([
  { name: "a model that is listed", config: { allow: ["gpt-*"] }, model: "gpt-4o", passes: true },
  { name: "another model", config: { allow: ["gpt-*"] }, model: "claude-x", passes: false },
  { name: "a model in other letters than the list's", config: { allow: ["gpt-*"] }, model: "GPT-4o", passes: false },
  { name: "a denied model", config: { deny: ["o1*"] }, model: "o1-pro", passes: false },
  { name: "a denied model in capitals", config: { deny: ["o1*"] }, model: "O1-PRO", passes: false },
  { name: "what is allowed and denied", config: { allow: ["*"], deny: ["o1*"] }, model: "o1", passes: false },
  { name: "what nobody denied", config: { deny: ["o1*"] }, model: "gpt-4o", passes: true },
  { name: "a list of models", config: { allow: ["gpt-*"] }, model: "", passes: true },
])("judges $name", async ({ config, model, passes }) => {
  const refusal = await admit(config, model, ofModels);
  expect(refusal).toEqual(
    passes
      ? undefined
      : {
          type: "deny",
          code: "auth.forbidden",
          message: `The model "${model}" is not permitted here.`,
          param: "model",
        },
  );
});

test("says nothing of operations that have no model", async () => {
  expect(await admit({ allow: ["gpt-*"] }, "a-tool", textAdapter)).toBeUndefined();
});

test.each([{}, { allow: [] }])("the configuration %j is refused", (config) => {
  expect(modelAccess.config.safeParse(config).success).toBe(false);
});

async function admit(config: object, name: string, adapter: ProtocolAdapter) {
  const compiled = modelAccess.compile(modelAccess.config.parse(config), buildTools(), { place: "x" });
  return await compiled.admit?.(buildExchange({ adapter }), buildOperation({ name }));
}
