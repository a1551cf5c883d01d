import type { Clock } from "../../kernel/clock.ts";
import { GatewayError } from "../../kernel/errors.ts";
import type { KeyManagerFetch } from "../../pipeline/define-key-manager.ts";
import { memberAt, textsOf } from "../read-claims.ts";
import type { RemoteServer } from "../remote-server.ts";
import { basicAuthorization, createRemoteServer, textMember } from "../remote-server.ts";
import { checkIdToken } from "./id-token.ts";
import { notSignedIn } from "./not-signed-in.ts";
import type { SsoDocument } from "./sso-document.ts";
import { readSsoDocument } from "./sso-document.ts";
import type { SsoServer } from "./sso-server.ts";
import type { SsoStates } from "./sso-state.ts";

/** Where to send a browser, and what it has to bring back. */
export interface StartedSso {
  readonly url: string;
  /** For a cookie of this browser. */
  readonly sealed: string;
}

/** Who somebody is at the server. */
export interface SsoIdentity {
  readonly issuer: string;
  readonly subject: string;
  /** What they are called there, as far as the server says. */
  readonly name: string | undefined;
  readonly displayName: string | undefined;
  readonly email: string | undefined;
  /** Values of the claim that gives roles. */
  readonly values: readonly string[];
  /** Where in our pages they wanted to go. */
  readonly returnTo: string;
}

/** Signs people in by OpenID Connect: the code flow with PKCE, state and nonce, all bound to the browser. */
export interface SsoClient {
  /** Throws `upstream.…` when the server cannot be used. */
  begin(server: SsoServer, returnTo: string): Promise<StartedSso>;
  /**
   * Takes the server's answer. Throws `auth.forbidden` for one that is not to what this browser has begun, that was
   * taken before, or whose identity token does not hold; `upstream.…` when the server does not give one.
   */
  finish(server: SsoServer, sealed: string | undefined, answer: URLSearchParams): Promise<SsoIdentity>;
}

export interface SsoClientParts {
  readonly fetch: KeyManagerFetch;
  readonly clock: Clock;
  readonly states: SsoStates;
}

/** Reads the server's documents at each sign-in: there are few, and then keys are never stale. */
export function createSsoClient({ fetch, clock, states }: SsoClientParts): SsoClient {
  const remoteOf = ({ issuer, discoveryUrl }: SsoServer): RemoteServer =>
    createRemoteServer(discoveryUrl === undefined ? [issuer] : [issuer, discoveryUrl], { fetch });
  return {
    async begin(server, returnTo) {
      const document = await readSsoDocument(server, remoteOf(server));
      const { sealed, state, nonce, challenge } = states.begin(server.name, returnTo);
      const url = new URL(document.authorization_endpoint);
      const parameters = {
        client_id: server.clientId,
        response_type: "code",
        redirect_uri: server.redirectUri,
        scope: server.scopes.join(" "),
        state,
        nonce,
        code_challenge: challenge,
        code_challenge_method: "S256",
      };
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
      return { url: url.href, sealed };
    },
    async finish(server, sealed, answer) {
      const { nonce, verifier, returnTo } = states.finish(server.name, sealed, single(answer, "state"));
      const remote = remoteOf(server);
      const document = await readSsoDocument(server, remote);
      refuseMixUp(server, document, answer);
      const code = single(answer, "code");
      if (code === undefined) throw notSignedIn(`error: ${single(answer, "error") ?? "no code"}`);
      const idToken = await redeem(server, document, remote, { code, verifier });
      const keys = (await remote.send({ url: document.jwks_uri })).json();
      const claims = await checkIdToken(idToken, keys, { ...server, nonce, nowMs: clock.now() });
      return { ...identityOf(claims, server), returnTo };
    },
  };
}

/** RFC 9207: the answer says whose it is, and has to where the server always says so. */
function refuseMixUp({ issuer }: SsoServer, document: SsoDocument, answer: URLSearchParams): void {
  const said = answer.getAll("iss");
  const isMissing = said.length === 0 && document.authorization_response_iss_parameter_supported === true;
  if (isMissing || said.some((each) => each !== issuer)) throw notSignedIn("the answer is of another issuer");
}

async function redeem(
  server: SsoServer,
  document: SsoDocument,
  remote: RemoteServer,
  { code, verifier }: { readonly code: string; readonly verifier: string },
): Promise<string> {
  const { clientId, clientSecret, redirectUri } = server;
  const methods = document.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
  const byForm = clientSecret !== undefined && !methods.includes("client_secret_basic");
  const form = {
    grant_type: "authorization_code",
    code,
    redirect_uri: redirectUri,
    code_verifier: verifier,
    ...(clientSecret === undefined || byForm ? { client_id: clientId } : {}),
    ...(byForm ? { client_secret: clientSecret } : {}),
  };
  const basic = clientSecret !== undefined && !byForm;
  const headers = basic ? { authorization: basicAuthorization(clientId, clientSecret) } : {};
  const given = await remote.send({ method: "POST", url: document.token_endpoint, form, headers }).catch(refusedCode);
  return textMember(given, "id_token");
}

// The server refuses a code that was used, that is not this client's, or whose verifier is another.
function refusedCode(error: unknown): never {
  if (error instanceof GatewayError && error.code === "upstream.invalid") throw notSignedIn(error.detail ?? "", error);
  throw error;
}

function identityOf(
  claims: Readonly<Record<string, unknown>>,
  { issuer, rolesClaim }: SsoServer,
): Omit<SsoIdentity, "returnTo"> {
  const text = (name: string): string | undefined => {
    const value = claims[name];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  return {
    issuer,
    subject: text("sub") ?? "",
    name: text("preferred_username") ?? text("email")?.split("@")[0],
    displayName: text("name")?.slice(0, 200),
    email: text("email"),
    values: textsOf(memberAt(claims, rolesClaim)),
  };
}

/** A parameter that is there once; a second one could be read instead of it by somebody else. */
function single(parameters: URLSearchParams, name: string): string | undefined {
  const [value, ...others] = parameters.getAll(name);
  if (others.length > 0) throw notSignedIn(`${name} comes twice`);
  return value === "" ? undefined : value;
}
