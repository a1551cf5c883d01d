import { applyDocuments } from "../core/apply.ts";
import type { Actor, CoreContext } from "../core/core-context.ts";
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
      if (sources.length > 0) await applyDocuments(context, actor, sources, { dryRun: false, draft });
    },
    isDeployed: async (api) => (await deployments.find(api.id)) !== undefined,
    secret: (name) => readSecret(context, name).catch(() => undefined),
    async putSecret(name, value) {
      await putSecret(context, actor, { name, value, team: "default" });
    },
    async open({ kind, name, suffix, model }, known) {
      const api = await resources.find(kind, name);
      const deployment = api && (await deployments.find(api.id));
      if (api === undefined || deployment === undefined) return undefined;
      const knownKey = known?.apis.find((each) => each.kind === kind && each.name === name)?.apiKey;
      const apiKey = await quickstartKey(context, actor, api, knownKey);
      const url = `${gatewayUrl}${deployment.context}${suffix}`;
      return {
        api: { kind, name, url, apiKey, ...(model !== undefined && { model }) },
        hasNewKey: apiKey !== knownKey,
      };
    },
  };
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

const actor: Actor = { type: "system", id: "quickstart" };
