import { expect, test } from "vitest";
import { pluginConfigSchema } from "../../src/core/plugin-config.ts";

test.each([
  { name: "a reference to a secret", config: { apiKey: "${secret:far}" } },
  {
    name: "members that only sound alike",
    config: { tokenUrl: "https://a.example/t", maxTokens: 5, header: "x-api-key" },
  },
  { name: "a credential's name with a number or a switch", config: { token: 5, secret: false, password: null } },
  { name: "a credential's name with a configuration below it", config: { credentials: { header: "x" } } },
])("$name is accepted", ({ config }) => {
  expect(pluginConfigSchema.parse(config)).toEqual(config);
});

test.each([
  { name: "a key", config: { apiKey: "sk-1" }, path: ["apiKey"] },
  { name: "a key in other spellings", config: { "Api-Key": "sk-1" }, path: ["Api-Key"] },
  { name: "text around a reference", config: { client_secret: "x${secret:far}" }, path: ["client_secret"] },
  { name: "nothing at all", config: { password: "" }, path: ["password"] },
  { name: "a token in a list further down", config: { hosts: [{}, { token: "t" }] }, path: ["hosts", 1, "token"] },
])("$name in clear text is refused, and the refusal does not repeat it", ({ config, path }) => {
  const { error } = pluginConfigSchema.safeParse(config);
  expect(error?.issues).toMatchObject([{ path }]);
  expect(error?.message).not.toMatch(/sk-1|x\$/);
});
