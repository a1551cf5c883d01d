import { z } from "zod";
import type { Config } from "../config.ts";
import { applyDocuments } from "../core/apply.ts";
import type { Actor, CoreContext } from "../core/core-context.ts";
import { llmApi } from "../core/llm-api.ts";
import { llmProvider } from "../core/llm-provider.ts";
import type { Resource } from "../core/resource.ts";
import { apiVersion } from "../core/resource.ts";
import { putSecret, readSecret } from "../core/secrets.ts";
import type { DataPaths } from "../store/data-directory.ts";
import { demoModelName, startDemoModel } from "./demo-model.ts";
import type { QuickstartApi, QuickstartFacts } from "./quickstart-file.ts";
import { readQuickstartFile, writeQuickstartFile } from "./quickstart-file.ts";
import { quickstartKey } from "./quickstart-key.ts";

export interface QuickstartOptions {
  readonly context: CoreContext;
  readonly config: Config;
  readonly dataDirectory: Pick<DataPaths, "quickstartPath">;
  readonly adminToken: string;
  readonly gatewayUrl: string;
  readonly controlUrl: string;
  /** Told of each step. */
  readonly progress: (line: string) => void;
}

/** The running quickstart; disposing ends the demonstration model. */
export interface Quickstart extends AsyncDisposable {
  readonly facts: QuickstartFacts;
}

/**
 * Puts up what a newcomer tries first: a demonstration model with an LLM API `demo` before it, the same for OpenAI when
 * its key is configured, and an API key for each; writes them to `quickstart.json`. What is there already stays as its
 * owner has left it, so that a second start changes nothing. For development only.
 */
export async function startQuickstart(options: QuickstartOptions): Promise<Quickstart> {
  const { context, config, dataDirectory, adminToken, gatewayUrl, controlUrl, progress } = options;
  await using starting = new AsyncDisposableStack();
  const provider = await find(context, "LlmProvider", "demo");
  const model = starting.use(await startDemoModel({ clock: context.clock, preferredPort: demoPort(provider) }));
  progress(`demonstration model at ${model.baseUrl}`);
  await putDemo(context, provider, model.baseUrl);
  if (config.quickstart.openaiApiKey !== undefined) {
    await putOpenAi(context, config.quickstart.openaiApiKey, config.quickstart.openaiBaseUrl);
    progress(`provider openai at ${config.quickstart.openaiBaseUrl}`);
  }
  const before = await readQuickstartFile(dataDirectory.quickstartPath);
  const apis = [
    await openApi(options, "demo", demoModelName, before),
    config.quickstart.openaiApiKey === undefined
      ? undefined
      : await openApi(options, "openai", config.quickstart.openaiModel, before),
  ].filter((api) => api !== undefined);
  const facts = { gatewayUrl, controlUrl, adminToken, apis };
  await writeQuickstartFile(dataDirectory.quickstartPath, facts);
  progress(`facts for scripts in ${dataDirectory.quickstartPath}`);
  const started = starting.move();
  return { facts, [Symbol.asyncDispose]: () => started.disposeAsync() };
}

const actor: Actor = { type: "system", id: "quickstart" };

const demoBaseUrl = /^http:\/\/127\.0\.0\.1:(\d{1,5})\/v1$/;

const withBaseUrl = z.looseObject({ with: z.looseObject({ baseUrl: z.string() }) });

// A provider that leads elsewhere is not the demonstration any more: somebody has made it theirs.
function demoPort(provider: Resource | undefined): number | undefined {
  const spec = withBaseUrl.safeParse(provider?.spec).data;
  const port = demoBaseUrl.exec(spec?.with.baseUrl ?? "")?.[1];
  return port === undefined ? undefined : Number(port);
}

async function putDemo(context: CoreContext, provider: Resource | undefined, baseUrl: string): Promise<void> {
  const documents: unknown[] = [];
  if (provider === undefined) {
    documents.push(providerDocument("demo", "Demonstration: made-up text, no model", { baseUrl }));
  } else if (demoPort(provider) !== undefined) {
    const stored = withBaseUrl.parse(provider.spec);
    documents.push(document("LlmProvider", "demo", { ...stored, with: { ...stored.with, baseUrl } }, provider.labels));
  }
  if ((await find(context, "LlmApi", "demo")) === undefined) {
    documents.push(apiDocument("demo", "Demonstration: made-up text, no model", [demoModelName]));
  }
  await put(context, documents);
}

async function putOpenAi(context: CoreContext, key: string, baseUrl: string): Promise<void> {
  const stored = await readSecret(context, "openai-key").catch(() => undefined);
  if (stored !== key) await putSecret(context, actor, { name: "openai-key", value: key, team: "default" });
  const documents: unknown[] = [];
  const provider = await find(context, "LlmProvider", "openai");
  const access = { baseUrl, apiKey: "${secret:openai-key}" };
  if (provider === undefined) {
    documents.push(providerDocument("openai", "OpenAI, from the environment", access));
  } else if (withBaseUrl.safeParse(provider.spec).data?.with.baseUrl !== baseUrl) {
    const known = withBaseUrl.safeParse(provider.spec).data;
    documents.push(
      document("LlmProvider", "openai", { ...known, with: { ...known?.with, ...access } }, provider.labels),
    );
  }
  if ((await find(context, "LlmApi", "openai")) === undefined) documents.push(apiDocument("openai", "OpenAI", ["*"]));
  await put(context, documents);
}

async function put(context: CoreContext, documents: readonly unknown[]): Promise<void> {
  const sources = documents.map((value) => ({ source: "quickstart", line: 1, value }));
  if (sources.length > 0) await applyDocuments(context, actor, sources, { dryRun: false, draft: false });
}

/** The deployed API with a key that opens it; undefined when its owner has taken it down. */
async function openApi(
  { context, gatewayUrl, progress }: QuickstartOptions,
  name: string,
  model: string,
  before: QuickstartFacts | undefined,
): Promise<QuickstartApi | undefined> {
  const api = await find(context, "LlmApi", name);
  const deployment = api && (await context.catalog.read.deployments.find(api.id));
  if (api === undefined || deployment === undefined) return undefined;
  const known = before?.apis.find((each) => each.kind === "LlmApi" && each.name === name)?.apiKey;
  const apiKey = await quickstartKey(context, actor, api, known);
  progress(`LLM API ${name} at ${gatewayUrl}${deployment.context}/v1${apiKey === known ? "" : ", with a new API key"}`);
  return { kind: "LlmApi", name, url: `${gatewayUrl}${deployment.context}/v1`, apiKey, model };
}

function find(context: CoreContext, kind: string, name: string): Promise<Resource | undefined> {
  return context.catalog.read.resources.find(kind, name);
}

function document(kind: string, name: string, spec: unknown, labels?: Readonly<Record<string, string>>): unknown {
  return { apiVersion, kind, metadata: { name, ...(labels !== undefined && { labels }) }, spec };
}

function providerDocument(name: string, displayName: string, access: object): unknown {
  return document(llmProvider.kind, name, { displayName, use: "openai-compatible", with: access });
}

function apiDocument(name: string, displayName: string, models: readonly string[]): unknown {
  return document(llmApi.kind, name, {
    displayName,
    context: `/${name}`,
    models: models.map((model) => ({ name: model })),
    upstream: { production: { targets: [{ provider: name }] }, sandbox: { sameAs: "production" } },
  });
}
