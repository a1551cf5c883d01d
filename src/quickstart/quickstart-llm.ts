import { z } from "zod";
import { llmApi } from "../core/llm-api.ts";
import { llmProvider } from "../core/llm-provider.ts";
import type { Resource } from "../core/resource.ts";
import { demoModelName, otherDemoModelName } from "./demo-model.ts";
import type { QuickstartCatalog } from "./quickstart-catalog.ts";
import { quickstartDocument } from "./quickstart-catalog.ts";

/**
 * The port that the stored provider expects the demonstration model at. A provider that leads elsewhere is not the
 * demonstration any more: somebody has made it theirs.
 */
export function demoPort(provider: Resource | undefined): number | undefined {
  const spec = withBaseUrl.safeParse(provider?.spec).data;
  const port = demoBaseUrl.exec(spec?.with.baseUrl ?? "")?.[1];
  return port === undefined ? undefined : Number(port);
}

/** The name that the demonstration's router finds a model for. */
export const routedModelName = "auto";

/** A model that is asked for by its name is the one; of `auto` a rule decides by what the first message says. */
const demoUpstream = {
  targets: [
    { provider: "demo", models: [demoModelName, otherDemoModelName] },
    { provider: "demo", model: demoModelName, models: [routedModelName] },
    { provider: "demo", model: otherDemoModelName, models: [routedModelName] },
  ],
  strategy: {
    use: "content",
    with: {
      rules: [
        {
          name: "code",
          tests: [{ in: "body", name: "$.messages[0].content", is: "matching", value: "(?i)code|function|compile" }],
          targets: [`demo/${otherDemoModelName}`],
        },
      ],
      default: [`demo/${demoModelName}`],
    },
  },
};

/** Puts up the provider and the LLM API `demo` unless they were deleted, or leads the provider to where the model is now. */
export async function putDemo(
  catalog: QuickstartCatalog,
  provider: Resource | undefined,
  baseUrl: string,
): Promise<void> {
  const documents: unknown[] = [];
  const isUnwanted = await catalog.wasDeleted("LlmApi", "demo");
  if (provider === undefined && !isUnwanted) {
    documents.push(providerDocument("demo", "Demonstration: made-up text, no model", { baseUrl }));
  } else if (provider !== undefined && demoPort(provider) !== undefined) {
    const stored = withBaseUrl.parse(provider.spec);
    const spec = { ...stored, with: { ...stored.with, baseUrl } };
    documents.push(quickstartDocument("LlmProvider", "demo", spec, provider.labels));
  }
  if (!isUnwanted && (await catalog.find("LlmApi", "demo")) === undefined) {
    const security = { apiKey: {}, oauth: {} }; // keys, and tokens of the resident key manager
    const models = [demoModelName, otherDemoModelName, routedModelName];
    const upstream = { production: demoUpstream, sandbox: { sameAs: "production" } };
    const more = { security, upstream, policies: [{ use: "semantic-tool-filter", with: { limit: 3 } }] };
    documents.push(apiDocument("demo", "Demonstration: made-up text, no model", models, more));
  }
  await catalog.put(documents);
}

/** Puts up the provider and the LLM API `openai`; the key goes to the vault. False when its owner has deleted the API. */
export async function putOpenAi(catalog: QuickstartCatalog, key: string, baseUrl: string): Promise<boolean> {
  if (await catalog.wasDeleted("LlmApi", "openai")) return false;
  if ((await catalog.secret("openai-key")) !== key) await catalog.putSecret("openai-key", key);
  const documents: unknown[] = [];
  const provider = await catalog.find("LlmProvider", "openai");
  const access = { baseUrl, apiKey: "${secret:openai-key}" };
  const known = withBaseUrl.safeParse(provider?.spec).data;
  if (provider === undefined) {
    documents.push(providerDocument("openai", "OpenAI, from the environment", access));
  } else if (known?.with.baseUrl !== baseUrl) {
    const spec = { ...known, with: { ...known?.with, ...access } };
    documents.push(quickstartDocument("LlmProvider", "openai", spec, provider.labels));
  }
  if ((await catalog.find("LlmApi", "openai")) === undefined) documents.push(apiDocument("openai", "OpenAI", ["*"]));
  await catalog.put(documents);
  return true;
}

const demoBaseUrl = /^http:\/\/127\.0\.0\.1:(\d{1,5})\/v1$/;

const withBaseUrl = z.looseObject({ with: z.looseObject({ baseUrl: z.string() }) });

function providerDocument(name: string, displayName: string, access: object): unknown {
  return quickstartDocument(llmProvider.kind, name, { displayName, use: "openai-compatible", with: access });
}

function apiDocument(name: string, displayName: string, models: readonly string[], more: object = {}): unknown {
  return quickstartDocument(llmApi.kind, name, {
    displayName,
    context: `/${name}`,
    models: models.map((model) => ({ name: model })),
    upstream: { production: { targets: [{ provider: name }] }, sandbox: { sameAs: "production" } },
    ...more,
  });
}
