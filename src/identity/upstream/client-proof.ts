import { randomUUID } from "node:crypto";
import type { JWK } from "jose";
import { GatewayError } from "../../kernel/errors.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import { basicAuthorization } from "../remote-server.ts";
import type { AuthorizationServer } from "./authorization-server.ts";

/** The gateway as one authorization server knows it, with what proves it. */
export interface UpstreamClient {
  readonly clientId: string;
  readonly secret: string | undefined;
  readonly privateKey: { readonly text: string; readonly algorithm: string } | undefined;
  /** As configured or registered; undefined where the server's metadata decides. */
  readonly method: string | undefined;
}

/** What goes with a request to the token endpoint. */
export interface ClientProof {
  readonly headers: Readonly<Record<string, string>>;
  readonly form: Readonly<Record<string, string>>;
}

/** Shows the gateway to a token endpoint (RFC 6749, 2.3; RFC 7523, 2.2). Throws `config.invalid` where it cannot. */
export async function proveClient(
  client: UpstreamClient,
  server: AuthorizationServer,
  nowMs: number,
): Promise<ClientProof> {
  const method = client.method ?? methodFor(client, server);
  const { clientId, secret = "" } = client;
  switch (method) {
    case "client_secret_basic":
      return { headers: { authorization: basicAuthorization(clientId, secret) }, form: {} };
    case "client_secret_post":
      return { headers: {}, form: { client_id: clientId, client_secret: secret } };
    case "private_key_jwt":
      return {
        headers: {},
        form: {
          client_id: clientId,
          client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
          client_assertion: await assertion(client, server, nowMs),
        },
      };
    case "none":
      return { headers: {}, form: { client_id: clientId } };
    default:
      throw new GatewayError("config.invalid", "The way in which the gateway was registered is not known here.", {
        detail: `${server.issuer}: ${method.slice(0, 100)}`,
      });
  }
}

/** Of what the client has, what the server takes. Servers that do not say take the basic scheme (RFC 8414, 2). */
function methodFor({ secret, privateKey }: UpstreamClient, { authMethods }: AuthorizationServer): string {
  if (privateKey !== undefined) return "private_key_jwt";
  if (secret === undefined) return "none";
  const methods = authMethods ?? ["client_secret_basic"];
  return !methods.includes("client_secret_basic") && methods.includes("client_secret_post")
    ? "client_secret_post"
    : "client_secret_basic";
}

const assertionSeconds = 60;

async function assertion(
  { clientId, privateKey }: UpstreamClient,
  { issuer }: AuthorizationServer,
  nowMs: number,
): Promise<string> {
  if (privateKey === undefined)
    throw new GatewayError("config.invalid", "The gateway has no private key to sign with.");
  const { SignJWT, importJWK, importPKCS8 } = await import("jose"); // few gateways sign anything
  const { text, algorithm } = privateKey;
  const seconds = Math.floor(nowMs / 1_000);
  try {
    const key = text.trimStart().startsWith("{")
      ? await importJWK(parseJson(text) as JWK, algorithm) // the library says what is wrong with it
      : await importPKCS8(text, algorithm);
    return await new SignJWT({})
      .setProtectedHeader({ alg: algorithm })
      .setIssuer(clientId)
      .setSubject(clientId)
      .setAudience(issuer)
      .setJti(randomUUID())
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + assertionSeconds)
      .sign(key);
  } catch (error) {
    // The library's text may hold the key's own.
    throw new GatewayError(
      "config.invalid",
      "The private key for the upstream's authorization server cannot be used.",
      {
        detail: `${algorithm}: ${error instanceof Error ? error.name : "unknown"}`,
      },
    );
  }
}
