import type { ClientConnector, RemoteClient, RemoteClientSpec } from "../core/key-manager-connector.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { SafeResponse } from "../kernel/safe-fetch.ts";
import type { RemoteServer } from "./remote-server.ts";
import { objectOf, textMember } from "./remote-server.ts";

export interface ClientRegistrationParts {
  readonly url: () => Promise<string> | string;
  readonly server: RemoteServer;
  /** What lets us register: an initial access token, or one of a management client. */
  readonly authorization: () => Promise<Readonly<Record<string, string>>>;
  /** Members that this server knows beside those of RFC 7591. */
  readonly extensions?: (client: RemoteClientSpec) => Readonly<Record<string, unknown>>;
}

/**
 * Clients by dynamic registration (RFC 7591), and by its management (RFC 7592) below the same URL with the same
 * authorization, as servers do that let an administrator manage all of them.
 */
export function createClientRegistration(parts: ClientRegistrationParts): ClientConnector {
  const at = async (clientId: string): Promise<string> =>
    `${(await parts.url()).replace(/\/$/, "")}/${encodeURIComponent(clientId)}`;
  return {
    async create(client) {
      const answer = await parts.server.send({
        method: "POST",
        url: await parts.url(),
        headers: await parts.authorization(),
        json: metadataOf(client, parts),
        ok: [200, 201],
      });
      return registeredClient(answer);
    },
    async update(clientId, client) {
      const json = { client_id: clientId, ...metadataOf(client, parts) };
      const headers = await parts.authorization();
      await parts.server.send({ method: "PUT", url: await at(clientId), headers, json, ok: [200, 204] });
    },
    async delete(clientId) {
      const headers = await parts.authorization();
      await parts.server.send({ method: "DELETE", url: await at(clientId), headers, ok: [200, 204, 404] });
    },
  };
}

function metadataOf(
  client: RemoteClientSpec,
  { extensions }: ClientRegistrationParts,
): Readonly<Record<string, unknown>> {
  return {
    client_name: client.name,
    grant_types: client.grantTypes,
    redirect_uris: client.redirectUris,
    token_endpoint_auth_method: client.tokenEndpointAuthMethod,
    ...(client.grantTypes.includes("authorization_code") ? { response_types: ["code"] } : { response_types: [] }),
    ...(client.scopes.length === 0 ? {} : { scope: client.scopes.join(" ") }),
    ...extensions?.(client),
  };
}

/** A client as a server answers with it. Throws `upstream.invalid` without an id. */
export function registeredClient(answer: SafeResponse): RemoteClient {
  const secret = objectOf(answer)["client_secret"];
  if (secret !== undefined && typeof secret !== "string") {
    throw new GatewayError("upstream.invalid", "The key manager's answer lacks what it should hold.");
  }
  return { clientId: textMember(answer, "client_id"), clientSecret: secret === "" ? undefined : secret };
}
