import type { Client, Context, ResourceServerInfo } from "oidc-provider";
import { errors } from "oidc-provider";
import type { CoreContext } from "../../core/core-context.ts";
import type { SigningKey } from "../../core/signing-keys.ts";
import { isSubscribed } from "../../core/subscriptions.ts";
import { reachFault } from "../../core/token-reach.ts";
import type { ClientFacts } from "./client-facts.ts";
import { factsOf } from "./client-facts.ts";
import type { ProtectedApi, ProtectedApis } from "./protected-apis.ts";
import type { ResidentOptions } from "./resident-options.ts";

/** A scope that every API has, so that there is something to agree to where an API asks for none. It opens nothing by itself. */
export const baseScope = "api";

/** The hooks that the library calls for RFC 8707. */
export interface ResourceIndicatorFeature {
  readonly enabled: true;
  defaultResource(context: Context, client: Client, oneOf: unknown): Promise<unknown>;
  useGrantedResource(): Promise<boolean>;
  getResourceServerInfo(context: Context, resource: string, client: Client): Promise<ResourceServerInfo>;
}

/** The library's settings for RFC 8707: one API per token, and no token without one. */
export function resourceIndicatorFeature(
  options: ResidentOptions,
  signing: Pick<SigningKey, "alg" | "kid">,
  apis: ProtectedApis,
): ResourceIndicatorFeature {
  return {
    enabled: true,
    async defaultResource(context: Context, _client: Client, oneOf: unknown) {
      if (oneOf !== undefined) return oneOf;
      if (asksForIdentity(context)) return undefined; // an ID token and the userinfo endpoint, and no API
      throw new errors.InvalidTarget("name the API with the parameter resource: its address, as its metadata has it");
    },
    useGrantedResource: async () => true,
    async getResourceServerInfo(context: Context, resource: string, client: Client): Promise<ResourceServerInfo> {
      const facts = factsOf(client);
      const api = await apis.find(resource);
      // Another team's API looks as if it were not there.
      if (api === undefined || !(await isReached(options.context, api, facts)))
        throw new errors.InvalidTarget("no API that takes this client's tokens is reached at this resource");
      const { scopes: allowed } = facts;
      const scopes = api.scopes.filter((scope) => allowed === undefined || allowed.includes(scope));
      completeScope(context, scopes);
      return {
        scope: [...scopes, baseScope].join(" "),
        audience: resource,
        accessTokenFormat: "jwt",
        accessTokenTTL: lifetimeOf(facts, options),
        jwt: { sign: { alg: signing.alg, kid: signing.kid } },
      };
    },
  };
}

/** Whether tokens of a client are of use at an API: the gateways ask the same of every call. */
export async function isReached(
  { catalog }: CoreContext,
  api: Pick<ProtectedApi, "kind" | "name" | "teamId"> & Partial<Pick<ProtectedApi, "oauth">>,
  client: ClientFacts,
): Promise<boolean> {
  const { applicationId, teamId = "" } = client;
  const fault = reachFault(api, { teamId, applicationId }, false);
  if (fault !== "other-team" || applicationId === undefined) return fault === undefined;
  return isSubscribed(catalog.read, applicationId, api);
}

function lifetimeOf(facts: ClientFacts, { settings }: ResidentOptions): number {
  return facts.accessTokenSeconds ?? settings.accessTokenSeconds;
}

function asksForIdentity({ oidc }: Context): boolean {
  const scope = oidc.params?.["scope"];
  return oidc.route !== "token" && typeof scope === "string" && scope.split(" ").includes("openid");
}

/**
 * A request that names none of the API's scopes asks for those that the API needs (RFC 6749, 3.3 leaves the default to
 * the server): a client that has to guess would get a token that opens nothing.
 */
function completeScope({ oidc }: Context, scopes: readonly string[]): void {
  const { params, route } = oidc;
  if (params === undefined) return;
  const isAsking = /^(authorization|pushed_authorization_request)$/.test(route);
  if (!isAsking && params["grant_type"] !== "client_credentials") return;
  const asked = typeof params["scope"] === "string" ? params["scope"].split(" ").filter((scope) => scope !== "") : [];
  if (asked.some((scope) => scopes.includes(scope))) return;
  const added = scopes.length === 0 ? [baseScope] : scopes;
  if (asked.some((scope) => !standing.has(scope))) return; // it asked for something else, and gets no more
  params["scope"] = [...asked, ...added].join(" ");
}

const standing: ReadonlySet<string> = new Set(["openid", "offline_access", baseScope]);
