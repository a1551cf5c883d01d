import type { OauthSpec } from "./api-spec.ts";

/** What of an API says whose tokens it takes. */
export interface ReachableApi {
  readonly kind: string;
  readonly teamId: string;
  readonly oauth?: Pick<OauthSpec, "shared" | "registeredClients"> | undefined;
}

/** What of an OAuth client says which APIs it reaches. One without an application has registered itself. */
export interface ReachingClient {
  readonly teamId: string;
  readonly applicationId: string | null | undefined;
}

/**
 * Why tokens of a client are of no use at an API, or undefined where they are. A token knows its client, and a client
 * its team: without a subscription it opens the APIs of that team and those that are `shared`, and no others. A client
 * that registered itself is nobody's, so the API itself says whether it takes such: MCP servers do unless they say no.
 */
export function reachFault(
  api: ReachableApi,
  client: ReachingClient,
  isSubscribed: boolean,
): "other-team" | "registered-client" | undefined {
  if (client.applicationId === null || client.applicationId === undefined) {
    return (api.oauth?.registeredClients ?? api.kind === "McpServer") ? undefined : "registered-client";
  }
  if (isSubscribed || client.teamId === api.teamId || api.oauth?.shared === true) return undefined;
  return "other-team";
}
