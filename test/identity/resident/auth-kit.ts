import * as oauth from "oauth4webapi";
import { createOauthClient } from "../../../src/core/oauth-clients.ts";
import { createUser } from "../../../src/core/users.ts";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse, testActor } from "../../kit/gatehouse.ts";
import { startMockUpstream } from "../../kit/mock-upstream.ts";
import type { Browser, Seen } from "./browser.ts";
import { createBrowser } from "./browser.ts";

/** The loopback of a test is plain HTTP. */
export const insecure = { [oauth.allowInsecureRequests]: true } as const;

/** A gateway with an LLM API behind OAuth, an application, and a person. */
export interface AuthGatehouse extends AsyncDisposable {
  readonly gatehouse: TestGatehouse;
  readonly issuer: string;
  /** The resource identifier of the LLM API `chat`. */
  readonly chat: string;
  /** Of a second one, `other`. */
  readonly other: string;
  readonly server: oauth.AuthorizationServer;
  /** Makes a client of the application `shop`. */
  client(
    spec: object,
  ): Promise<{ client: oauth.Client; clientId: string; secret: string; authentication: oauth.ClientAuth }>;
  /** The status of a chat completion with a token. */
  call(token: string, api?: "chat" | "other"): Promise<number>;
}

export const password = "correct horse battery staple";

export async function startAuthGatehouse(settings: Record<string, string> = {}): Promise<AuthGatehouse> {
  const upstream = await startMockUpstream();
  const gatehouse = await startTestGatehouse(settings);
  const { context, gatewayUrl } = gatehouse.running;
  const secured = { security: { apiKey: {}, oauth: {} } };
  await gatehouse.llm("chat", upstream.url, secured);
  await gatehouse.llm("other", upstream.url, secured);
  await gatehouse.put("Application", "shop", {});
  await createUser(context, testActor, { metadata: { name: "ada" }, spec: { displayName: "Ada L." }, password });
  const issuer = `${gatewayUrl}/auth`;
  const issuerUrl = new URL(issuer);
  const discovered = await oauth.discoveryRequest(issuerUrl, { algorithm: "oauth2", ...insecure });
  const server = await oauth.processDiscoveryResponse(issuerUrl, discovered);
  return {
    gatehouse,
    issuer,
    chat: `${gatewayUrl}/chat`,
    other: `${gatewayUrl}/other`,
    server,
    async client(spec) {
      const created = await createOauthClient(context, testActor, "shop", {
        spec: { environment: "production", ...spec },
      });
      const secret = created.secret?.secretValue ?? "";
      const { clientId } = created.row;
      const authentication = secret === "" ? oauth.None() : oauth.ClientSecretBasic(secret);
      return { client: { client_id: clientId }, clientId, secret, authentication };
    },
    async call(token, api = "chat") {
      const answer = await fetch(`${gatewayUrl}/${api}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "hi" }] }),
      });
      await answer.arrayBuffer();
      return answer.status;
    },
    async [Symbol.asyncDispose]() {
      await gatehouse[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

/** Logs a person in where it is asked for, Ada unless told, and agrees. The page that the redirect would have opened. */
export async function agree(browser: Browser, url: string, name = "ada"): Promise<Seen> {
  let seen = await browser.open(url);
  if (seen.html.includes('name="password"')) seen = await browser.submit(seen, "log-in", { name, password });
  if (seen.html.includes(">Allow<")) seen = await browser.submit(seen, "allow");
  return seen;
}

export interface CodeFlow {
  readonly made: Awaited<ReturnType<AuthGatehouse["client"]>>;
  readonly redirectUri: string;
  readonly resource?: string;
  readonly extra?: Record<string, string>;
  readonly browser?: Browser;
  /** Who logs in; Ada when absent. */
  readonly person?: string;
}

/** An authorization code flow with PKCE from its beginning to its tokens, by an unmodified client. */
export async function codeFlow(at: AuthGatehouse, flow: CodeFlow): Promise<oauth.TokenEndpointResponse> {
  const { made, redirectUri, resource = at.chat, extra = {} } = flow;
  const browser = flow.browser ?? createBrowser(new URL(at.issuer).origin);
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const url = new URL(at.server.authorization_endpoint ?? "");
  url.search = new URLSearchParams({
    client_id: made.clientId,
    redirect_uri: redirectUri,
    response_type: "code",
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    resource,
    state,
    ...extra,
  }).toString();
  const seen = await agree(browser, url.href, flow.person);
  if (seen.redirect === undefined) throw new Error(`no redirect: ${seen.status} ${seen.html}`);
  const parameters = oauth.validateAuthResponse(at.server, made.client, seen.redirect, state);
  const answer = await oauth.authorizationCodeGrantRequest(
    at.server,
    made.client,
    made.authentication,
    parameters,
    redirectUri,
    verifier,
    insecure,
  );
  return oauth.processAuthorizationCodeResponse(at.server, made.client, answer);
}
