import { Ajv2020 } from "ajv/dist/2020.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { generateApiKey, revokeApiKey } from "../../../src/core/api-keys.ts";
import { governedKinds } from "../../../src/core/governed-kinds.ts";
import { findKind } from "../../../src/core/kinds.ts";
import { approvePin, listPins, takeSightings } from "../../../src/core/mcp-pins.ts";
import { publishApi } from "../../../src/core/publishing.ts";
import { getResource } from "../../../src/core/resources.ts";
import { putSecret } from "../../../src/core/secrets.ts";
import { formSchema } from "../../../src/governance/artifacts/artifact-form.ts";
import { artifactForms } from "../../../src/governance/artifacts/artifact-forms.ts";
import { documentOf } from "../../../src/governance/document-of.ts";
import { parseJson } from "../../../src/kernel/parse-json.ts";
import { pluginSchemas } from "../../../src/plugin-schemas.ts";
import type { CoreFixture } from "../../core/core-fixture.ts";
import { admin, coreFixture, create, kindOf, llmApiSpec, providerSpec, withChatApi } from "../../core/core-fixture.ts";

let core: CoreFixture;
beforeEach(async () => {
  core = await coreFixture();
  Object.assign(core.context, { plugins: pluginSchemas });
});
afterEach(() => core[Symbol.asyncDispose]());

async function seen(kind: string, name: string): Promise<object> {
  const subject = await getResource(core.context, kindOf(kind), name);
  const document = await documentOf(core.context.catalog.read, subject, "metadata");
  const form: object = Object(parseJson(document?.text ?? "{}"));
  return form;
}

function faultsOf(kind: string, document: object): unknown {
  const form = artifactForms.find((each) => each.kind === kind);
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  const validate = ajv.compile(form === undefined ? false : formSchema(form));
  validate(document);
  return validate.errors ?? [];
}

const isDue = async (kind: string, name: string): Promise<boolean> => {
  const { id } = await getResource(core.context, kindOf(kind), name);
  const row = await core.context.catalog.read.compliance.find(id);
  return row !== undefined && row.dueAtMs !== null;
};

async function settle(): Promise<void> {
  const { compliance } = core.context.catalog.read;
  for (let row = await compliance.next(); row !== undefined; row = await compliance.next()) {
    const { artifactId, asked } = row;
    await core.context.catalog.transaction((transaction) => transaction.compliance.pass(artifactId, asked));
  }
}

test("every kind that rulesets may be held against has a form", () => {
  const kinds = governedKinds.filter((kind) => findKind(kind) !== undefined);
  expect(artifactForms.map(({ kind }) => kind).toSorted()).toEqual(kinds.toSorted());
});

describe("what rulesets see fits the published schema", () => {
  const cases = artifactForms.flatMap(({ kind }) =>
    (findKind(kind)?.examples ?? []).map((spec, at) => ({ name: `${kind}, example ${at + 1}`, kind, spec })),
  );

  test.each(cases)("$name", async ({ kind, spec }) => {
    await putSecret(core.context, admin, { name: "llm-key", value: "sk-example" });
    for (const name of ["openai", "demo"]) await create(core, "LlmProvider", name, providerSpec);
    if (kind === "McpServer") {
      for (const name of ["notes", "tickets"]) {
        const url = `https://${name}.example.com/mcp`;
        const upstream = { production: { url }, sandbox: { sameAs: "production" } };
        await create(core, kind, name, { context: `/behind-${name}`, upstream });
      }
    }
    await create(core, kind, "it", Object(spec));
    const document = await seen(kind, "it");
    expect(faultsOf(kind, document)).toEqual([]);
    expect(faultsOf(kind, { ...document, metadata: undefined, surprise: 1 })).not.toEqual([]);
  });
});

test("a credential that was written into a resource is masked, and fits", async () => {
  await create(core, "LlmProvider", "openai", { ...providerSpec, use: "openai", with: { apiKey: "sk-of-somebody" } });
  const document = await seen("LlmProvider", "openai");
  expect(JSON.stringify(document)).not.toContain("sk-of-somebody");
  expect(faultsOf("LlmProvider", document)).toEqual([]);
});

test("an LLM API is seen with the ways that its requests may take", async () => {
  await create(core, "LlmProvider", "openai", providerSpec);
  await create(core, "LlmApi", "chat", llmApiSpec("/chat"));
  expect(await seen("LlmApi", "chat")).toMatchObject({
    routes: [
      { environment: "production", provider: "openai", model: null },
      { environment: "sandbox", provider: "openai", model: null },
    ],
  });
});

test("a version that nobody has said is not there", async () => {
  await create(core, "LlmProvider", "openai", providerSpec);
  await create(core, "LlmApi", "chat", llmApiSpec("/chat"));
  expect(await seen("LlmApi", "chat")).not.toHaveProperty("spec.version");
});

describe("an application", () => {
  const key = { api: { kind: "LlmApi", name: "chat" }, environment: "production", application: "bot" };
  const generate = (name: string, bounds: object = {}) =>
    generateApiKey(core.context, admin, { metadata: { name }, spec: { ...key, ...bounds } });

  test("is seen with its keys and their bounds, without those that are revoked", async () => {
    await withChatApi(core);
    await generate("lasting");
    await generate("ended");
    await generate("bounded", { validitySeconds: 60, permittedIps: ["10.0.0.0/8"], allow: ["small-*"] });
    await revokeApiKey(core.context, admin, "ended");
    const document = await seen("Application", "bot");
    expect(document).toMatchObject({
      keys: [
        { name: "lasting", api: key.api, environment: "production", expiresAt: null, permittedIps: [], allow: null },
        { name: "bounded", expiresAt: expect.any(String), permittedIps: ["10.0.0.0/8"], allow: ["small-*"] },
      ],
    });
    expect(document).toHaveProperty("keys.length", 2);
    expect(faultsOf("Application", document)).toEqual([]);
  });

  test("is looked at again when a key of it is made, and when one ends", async () => {
    await withChatApi(core);
    await settle();
    expect(await isDue("Application", "bot")).toBe(false);
    await generate("first");
    expect(await isDue("Application", "bot")).toBe(true);
    await settle();
    await revokeApiKey(core.context, admin, "first");
    expect(await isDue("Application", "bot")).toBe(true);
  });
});

describe("an MCP server", () => {
  const tool = { name: "list", description: "Lists.", inputSchema: { type: "object" } };

  test("is seen with what it offers, its transports and scopes, and how its pins stand", async () => {
    const { id } = await create(core, "McpServer", "notes", {
      context: "/notes",
      pins: { mode: "warn", onNew: "quarantine" },
      security: { oauth: { scopes: ["notes"] } },
      authorization: { rules: [{ on: { tools: ["delete"] }, anyScopes: ["notes.write", "notes"] }] },
      upstream: {
        production: { url: "https://notes.example.com/mcp" },
        sandbox: { url: "https://notes.example.com/sse", transport: "http+sse" },
      },
    });
    await publishApi(core.context, admin, kindOf("McpServer"), "notes");
    await takeSightings(core.context, {
      apiId: id,
      environment: "production",
      seen: [
        { kind: "tool", name: "list", definition: tool },
        { kind: "instructions", name: "", definition: { instructions: "Ask first." } },
      ],
    });
    const document = await seen("McpServer", "notes");
    expect(document).toMatchObject({
      tools: [tool],
      instructions: "Ask first.",
      transports: ["streamable-http", "http+sse"],
      scopes: ["notes", "notes.write"],
    });
    expect(Object(document).pins).toContainEqual({ kind: "tool", name: "list", state: "new" });
    expect(faultsOf("McpServer", document)).toEqual([]);

    await settle();
    const [pin] = (await listPins(core.context, "notes")).filter(({ kind }) => kind === "tool");
    await approvePin(core.context, admin, "notes", pin?.id ?? "", pin?.seenHash ?? "");
    expect(await isDue("McpServer", "notes")).toBe(true);
    expect(Object(await seen("McpServer", "notes")).pins).toContainEqual({
      kind: "tool",
      name: "list",
      state: "approved",
    });
  });
});
