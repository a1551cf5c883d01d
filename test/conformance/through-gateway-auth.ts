/** What the suite tells the client in some scenarios. */
export interface ScenarioContext {
  readonly client_id?: string;
  readonly client_secret?: string;
  readonly private_key_pem?: string;
  readonly signing_algorithm?: string;
  readonly idp_client_id?: string;
  readonly idp_id_token?: string;
  readonly idp_issuer?: string;
  readonly toolCalls?: readonly { readonly name: string; readonly arguments: Record<string, unknown> }[];
}

/** What an operator would write for the upstream of a scenario, out of what the suite tells the client. */
export async function upstreamAuth(
  scenario: string,
  url: string,
  context: ScenarioContext,
): Promise<{ readonly auth?: object }> {
  if (!scenario.startsWith("auth/")) return {};
  const { client_id: id = "", client_secret: secret = "", private_key_pem: privateKey = "" } = context;
  const code = { type: "authorization-code", per: "application" };
  switch (scenario) {
    case "auth/client-credentials-basic":
      return { auth: { type: "client-credentials", issuer: await issuerOf(url), client: { id, secret } } };
    case "auth/client-credentials-jwt": {
      const { signing_algorithm: algorithm = "ES256" } = context;
      return {
        auth: { type: "client-credentials", issuer: await issuerOf(url), client: { id, privateKey, algorithm } },
      };
    }
    case "auth/pre-registration":
      return { auth: { ...code, issuer: await issuerOf(url), client: { id, secret } } };
    case "auth/basic-cimd":
      return { auth: { ...code, client: { id: "https://conformance-test.local/client-metadata.json" } } };
    case "auth/enterprise-managed-authorization":
      return {
        auth: {
          type: "token-exchange",
          issuer: context.idp_issuer,
          client: { id: context.idp_client_id },
          subjectToken: context.idp_id_token,
          subjectTokenType: "id_token",
          assertAt: { issuer: await issuerOf(url), client: { id, secret } },
        },
      };
    default:
      return { auth: code };
  }
}

/** The operator knows at whom the gateway was registered; the suite says it nowhere else. */
async function issuerOf(url: string): Promise<string> {
  const { origin, pathname } = new URL(url);
  const answer = await fetch(`${origin}/.well-known/oauth-protected-resource${pathname}`);
  const { authorization_servers: servers } = (await answer.json()) as { authorization_servers: string[] }; // RFC 9728
  return servers[0] ?? "";
}
