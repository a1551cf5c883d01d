import { z } from "zod";
import type { ClientConnector, RemoteClient, RemoteClientSpec, ScopeConnector } from "../core/key-manager-connector.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { RemoteServer } from "./remote-server.ts";
import { textMember } from "./remote-server.ts";

type Authorization = () => Promise<Readonly<Record<string, string>>>;

/** Clients of a realm, by Keycloak's admin REST API at `adminUrl` (`…/admin/realms/main`). */
export function createKeycloakClients(
  adminUrl: string,
  server: RemoteServer,
  authorization: Authorization,
): ClientConnector {
  const clients = `${adminUrl}/clients`;
  /** Keycloak's own id of a client, which its paths name; undefined when there is none. */
  const findId = async (clientId: string): Promise<string | undefined> => {
    const url = `${clients}?clientId=${encodeURIComponent(clientId)}`;
    const found = foundClients.safeParse((await server.send({ url, headers: await authorization() })).json());
    return found.success ? found.data.find((client) => client.clientId === clientId)?.id : undefined;
  };
  const requireId = async (clientId: string): Promise<string> => {
    const id = await findId(clientId);
    if (id !== undefined) return id;
    throw new GatewayError("upstream.invalid", "The key manager has no such client.", { detail: clientId });
  };
  const secretOf = async (id: string, method: "GET" | "POST"): Promise<string> => {
    const url = `${clients}/${encodeURIComponent(id)}/client-secret`;
    return textMember(await server.send({ method, url, headers: await authorization() }), "value");
  };
  return {
    async create(client): Promise<RemoteClient> {
      const json = representation(client);
      const headers = await authorization();
      const answer = await server.send({ method: "POST", url: clients, headers, json, ok: [201] });
      const id = /\/([0-9A-Za-z-]{1,100})$/.exec(answer.headers["location"] ?? "")?.[1];
      const own = id ?? (await requireId(client.name));
      return { clientId: client.name, clientSecret: isPublic(client) ? undefined : await secretOf(own, "GET") };
    },
    async update(clientId, client) {
      const url = `${clients}/${encodeURIComponent(await requireId(clientId))}`;
      const json = { ...representation(client), clientId };
      await server.send({ method: "PUT", url, headers: await authorization(), json, ok: [200, 204] });
    },
    async delete(clientId) {
      const id = await findId(clientId);
      if (id === undefined) return;
      const url = `${clients}/${encodeURIComponent(id)}`;
      await server.send({ method: "DELETE", url, headers: await authorization(), ok: [204, 404] });
    },
    async rotateSecret(clientId) {
      return { clientId, clientSecret: await secretOf(await requireId(clientId), "POST") };
    },
  };
}

/** Client scopes and realm roles. */
export function createKeycloakScopes(
  adminUrl: string,
  server: RemoteServer,
  authorization: Authorization,
): ScopeConnector {
  return {
    async register(scopes) {
      const headers = await authorization();
      for (const { name, description } of scopes) {
        const json = {
          name,
          ...(description === undefined ? {} : { description }),
          protocol: "openid-connect",
          attributes: { "include.in.token.scope": "true", "display.on.consent.screen": "true" },
        };
        await server.send({ method: "POST", url: `${adminUrl}/client-scopes`, headers, json, ok: [201, 409] });
      }
      for (const name of new Set(scopes.flatMap(({ roles = [] }) => roles))) {
        await server.send({ method: "POST", url: `${adminUrl}/roles`, headers, json: { name }, ok: [201, 409] });
      }
    },
  };
}

const foundClients = z.array(z.looseObject({ id: z.string(), clientId: z.string() }));

function isPublic(client: RemoteClientSpec): boolean {
  return client.tokenEndpointAuthMethod === "none";
}

function representation(client: RemoteClientSpec): Readonly<Record<string, unknown>> {
  const { accessTokenSeconds, grantTypes } = client;
  return {
    clientId: client.name,
    name: client.name,
    protocol: "openid-connect",
    enabled: true,
    publicClient: isPublic(client),
    clientAuthenticatorType: "client-secret",
    standardFlowEnabled: grantTypes.includes("authorization_code"),
    serviceAccountsEnabled: grantTypes.includes("client_credentials"),
    implicitFlowEnabled: false,
    directAccessGrantsEnabled: false,
    redirectUris: client.redirectUris,
    optionalClientScopes: client.scopes,
    attributes: {
      "pkce.code.challenge.method": "S256",
      ...(accessTokenSeconds === undefined ? {} : { "access.token.lifespan": String(accessTokenSeconds) }),
      "use.refresh.tokens": String(grantTypes.includes("refresh_token")),
    },
  };
}
