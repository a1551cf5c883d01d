import { applyDocuments } from "../core/apply.ts";
import type { Actor, CoreContext } from "../core/core-context.ts";
import { llmApi } from "../core/llm-api.ts";
import type { Resource } from "../core/resource.ts";
import { apiVersion } from "../core/resource.ts";
import { putSecret, readSecret } from "../core/secrets.ts";
import type { QuickstartApi, QuickstartFacts } from "./quickstart-file.ts";
import { quickstartKey } from "./quickstart-key.ts";

/** What the quickstart does in the catalog, all of it audited as `quickstart`. */
export interface QuickstartCatalog {
  find(kind: string, name: string): Promise<Resource | undefined>;
  /** Applies documents as `gatehouse apply` does. An API that its owner has taken down stays down: say `draft`. */
  put(documents: readonly unknown[], options?: { readonly draft: boolean }): Promise<void>;
  isDeployed(api: Resource): Promise<boolean>;
  /** What its owner has deleted since the quickstart made it; that is not made again. */
  wasDeleted(kind: string, name: string): Promise<boolean>;
  /** The secret's value; undefined when there is none that opens. */
  secret(name: string): Promise<string | undefined>;
  putSecret(name: string, value: string): Promise<void>;
  /** The deployed API with a key that opens it; undefined when its owner has taken it down. */
  open(wanted: WantedApi, known: QuickstartFacts | undefined): Promise<OpenedApi | undefined>;
}

export interface WantedApi {
  readonly kind: string;
  readonly name: string;
  /** What clients put behind the API's context: `/v1`. */
  readonly suffix: string;
  readonly model?: string;
  /** A name that a router finds a model for; told only of an API that offers it. */
  readonly routedModel?: string;
}

export interface OpenedApi {
  readonly api: QuickstartApi;
  readonly hasNewKey: boolean;
}

export function quickstartCatalog(context: CoreContext, gatewayUrl: string): QuickstartCatalog {
  const { resources, deployments } = context.catalog.read;
  return {
    find: (kind, name) => resources.find(kind, name),
    async put(documents, { draft } = { draft: false }) {
      const sources = documents.map((value) => ({ source: "quickstart", line: 1, value }));
      if (sources.length === 0) return;
      const applied = await applyDocuments(context, quickstartActor, sources, { dryRun: false, draft });
      await noteMade(context, applied.filter(({ change }) => change === "created").map(keyOf));
    },
    async wasDeleted(kind, name) {
      if ((await resources.find(kind, name)) !== undefined) return false;
      return (await readMade(context)).has(keyOf({ kind, name }));
    },
    isDeployed: async (api) => (await deployments.find(api.id)) !== undefined,
    secret: (name) => readSecret(context, name).catch(() => undefined),
    async putSecret(name, value) {
      await putSecret(context, quickstartActor, { name, value, team: "default" });
    },
    async open({ kind, name, suffix, model, routedModel }, known) {
      const api = await resources.find(kind, name);
      if (api !== undefined) await noteMade(context, [keyOf(api)]);
      const deployment = api && (await deployments.find(api.id));
      if (api === undefined || deployment === undefined) return undefined;
      const knownKey = known?.apis.find((each) => each.kind === kind && each.name === name)?.apiKey;
      const apiKey = await quickstartKey(context, quickstartActor, api, knownKey);
      const url = `${gatewayUrl}${deployment.context}${suffix}`;
      const isRouted = routedModel !== undefined && offers(api, routedModel);
      const told = { ...(isRouted && { routedModel }), ...(filtersTools(api) && { filtersTools: true }) };
      return {
        api: { kind, name, url, apiKey, ...(model !== undefined && { model }), ...told },
        hasNewKey: apiKey !== knownKey,
      };
    },
  };
}

/** Whether an LLM API has the model by this very name: one that its owner has changed may not. */
function offers({ spec }: Resource, model: string): boolean {
  return llmApi.spec.safeParse(spec).data?.models.some(({ name }) => name === model) ?? false;
}

function filtersTools({ spec }: Resource): boolean {
  return llmApi.spec.safeParse(spec).data?.policies.some(({ use }) => use === "semantic-tool-filter") ?? false;
}

/** A document as `gatehouse apply` reads it. */
export function quickstartDocument(
  kind: string,
  name: string,
  spec: unknown,
  labels?: Readonly<Record<string, string>>,
): unknown {
  return { apiVersion, kind, metadata: { name, ...(labels !== undefined && { labels }) }, spec };
}

/** The APIs that the quickstart may put up, and make keys for. */
export const quickstartApis = [
  { kind: "LlmApi", name: "demo" },
  { kind: "LlmApi", name: "openai" },
  { kind: "McpServer", name: "notes" },
  { kind: "McpServer", name: "workspace" },
] as const;

/** Who the audit names for all that the quickstart does. */
export const quickstartActor: Actor = { type: "system", id: "quickstart" };

const madeSetting = "quickstart.made";

function keyOf({ kind, name }: { readonly kind: string; readonly name: string }): string {
  return `${kind}/${name}`;
}

async function readMade({ catalog }: CoreContext): Promise<ReadonlySet<string>> {
  return new Set((await catalog.read.settings.get(madeSetting))?.split(" "));
}

async function noteMade(context: CoreContext, made: readonly string[]): Promise<void> {
  const before = await readMade(context);
  if (made.every((key) => before.has(key))) return;
  const all = [...before.union(new Set(made))].join(" ");
  await context.catalog.transaction(({ settings }) => settings.set(madeSetting, all));
}
