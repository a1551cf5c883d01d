import { createHash, randomBytes } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** What the upstream and its authorization server do; a test may change it at any time. */
export interface UpstreamBehaviour {
  /** Seconds that access tokens hold; undefined says nothing of it. */
  expiresIn: number | undefined;
  givesRefreshTokens: boolean;
  /** Scopes that `tools/call` needs. */
  needs: string[];
  /** Members over the authorization server's metadata; undefined takes one away. */
  metadata: Record<string, unknown>;
  /** Members over the resource's metadata. */
  resource: Record<string, unknown>;
  /** The token endpoint waits for this, so that calls meet. */
  tokenGate: Promise<void> | undefined;
  tokenError: string | undefined;
}

/** An MCP server of 2026-07-28 behind OAuth, with its own authorization server on another port. */
export interface ProtectedUpstream extends AsyncDisposable {
  readonly url: string;
  readonly issuer: string;
  readonly behaviour: UpstreamBehaviour;
  /** Every request's headers at the MCP server. */
  readonly seen: IncomingHttpHeaders[];
  /** Forms that the token endpoint got, with `authorization` where there was one. */
  readonly tokenRequests: Record<string, string>[];
  readonly registrations: Record<string, unknown>[];
  /** Queries of the authorization endpoint. */
  readonly authorizations: URLSearchParams[];
  /** Access tokens that are good, with their scopes. */
  readonly tokens: Map<string, string[]>;
  /** Refresh tokens that were not used yet. */
  readonly refreshTokens: Map<string, string[]>;
  /** As at the beginning. */
  reset(): void;
}

function usual(): UpstreamBehaviour {
  return {
    expiresIn: 3_600,
    givesRefreshTokens: true,
    needs: [],
    metadata: {},
    resource: {},
    tokenGate: undefined,
    tokenError: undefined,
  };
}

export async function startProtectedUpstream(): Promise<ProtectedUpstream> {
  const behaviour = usual();
  const state = {
    behaviour,
    seen: [] as IncomingHttpHeaders[],
    tokenRequests: [] as Record<string, string>[],
    registrations: [] as Record<string, unknown>[],
    authorizations: [] as URLSearchParams[],
    tokens: new Map<string, string[]>(),
    refreshTokens: new Map<string, string[]>(),
    codes: new Map<string, { challenge: string; scopes: string[] }>(),
    issuer: "",
    url: "",
  };
  const authorization = createServer((request, response) => void answerAuthorization(state, request, response));
  const mcp = createServer((request, response) => void answerMcp(state, request, response));
  state.issuer = await listen(authorization);
  state.url = `${await listen(mcp)}/mcp`;
  return Object.assign(state, {
    reset() {
      Object.assign(behaviour, usual());
      for (const list of [state.seen, state.tokenRequests, state.registrations, state.authorizations]) list.splice(0);
      for (const map of [state.tokens, state.refreshTokens]) map.clear();
    },
    async [Symbol.asyncDispose]() {
      for (const server of [authorization, mcp]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  });
}

type State = Omit<ProtectedUpstream, typeof Symbol.asyncDispose | "reset"> & {
  readonly codes: Map<string, { challenge: string; scopes: string[] }>;
};

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server that listens has one
}

async function answerAuthorization(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", state.issuer);
  if (url.pathname === "/.well-known/oauth-authorization-server") return send(response, 200, serverMetadata(state));
  if (url.pathname === "/authorize") {
    state.authorizations.push(url.searchParams);
    const code = randomBytes(8).toString("hex");
    const scopes = (url.searchParams.get("scope") ?? "").split(" ").filter((scope) => scope !== "");
    state.codes.set(code, { challenge: url.searchParams.get("code_challenge") ?? "", scopes });
    const back = new URL(url.searchParams.get("redirect_uri") ?? "");
    back.search = new URLSearchParams({
      code,
      state: url.searchParams.get("state") ?? "",
      iss: state.issuer,
    }).toString();
    return void response.writeHead(302, { location: back.href }).end();
  }
  const text = await readBody(request);
  if (url.pathname === "/register") {
    const said = JSON.parse(text) as Record<string, unknown>; // the gateway's own
    state.registrations.push(said);
    return send(response, 201, {
      client_id: `client-${state.registrations.length}`,
      redirect_uris: said["redirect_uris"],
    });
  }
  if (url.pathname === "/token") return answerToken(state, new URLSearchParams(text), request, response);
  return send(response, 404, {});
}

function serverMetadata({ issuer, behaviour }: State): object {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    registration_endpoint: `${issuer}/register`,
    code_challenge_methods_supported: ["S256"],
    token_endpoint_auth_methods_supported: ["none"],
    authorization_response_iss_parameter_supported: true,
    ...behaviour.metadata,
  };
}

async function answerToken(
  state: State,
  form: URLSearchParams,
  { headers }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { behaviour, tokenRequests, codes, refreshTokens } = state;
  const { authorization } = headers;
  tokenRequests.push({ ...Object.fromEntries(form), ...(authorization !== undefined && { authorization }) });
  await behaviour.tokenGate;
  if (behaviour.tokenError !== undefined) return send(response, 400, { error: behaviour.tokenError });
  const asked = (form.get("scope") ?? "").split(" ").filter((scope) => scope !== "");
  switch (form.get("grant_type")) {
    case "authorization_code": {
      const code = form.get("code") ?? "";
      const kept = codes.get(code);
      codes.delete(code);
      const verifier = createHash("sha256")
        .update(form.get("code_verifier") ?? "")
        .digest("base64url");
      if (kept === undefined || verifier !== kept.challenge) return send(response, 400, { error: "invalid_grant" });
      return send(response, 200, give(state, kept.scopes));
    }
    case "refresh_token": {
      const token = form.get("refresh_token") ?? "";
      const scopes = refreshTokens.get(token);
      refreshTokens.delete(token); // each is good once
      return scopes === undefined
        ? send(response, 400, { error: "invalid_grant" })
        : send(response, 200, give(state, scopes));
    }
    default:
      return send(response, 200, give(state, asked));
  }
}

function give({ behaviour, tokens, refreshTokens }: State, scopes: string[]): object {
  const access = `upstream-token-${randomBytes(12).toString("hex")}`;
  tokens.set(access, scopes);
  const refresh = `upstream-refresh-${randomBytes(12).toString("hex")}`;
  if (behaviour.givesRefreshTokens) refreshTokens.set(refresh, scopes);
  return {
    access_token: access,
    token_type: "Bearer",
    ...(behaviour.expiresIn !== undefined && { expires_in: behaviour.expiresIn }),
    ...(behaviour.givesRefreshTokens && { refresh_token: refresh }),
    scope: scopes.join(" "),
  };
}

async function answerMcp(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { behaviour, url, issuer, tokens, seen } = state;
  const metadata = `${new URL(url).origin}/.well-known/oauth-protected-resource/mcp`;
  if (request.url === "/.well-known/oauth-protected-resource/mcp") {
    return send(response, 200, { resource: url, authorization_servers: [issuer], ...behaviour.resource });
  }
  if (request.url !== "/mcp" || request.method !== "POST") return send(response, 404, {});
  seen.push(request.headers);
  const message = JSON.parse(await readBody(request)) as { id: number; method: string; params: { name?: string } }; // the gateway's
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
  const scopes = tokens.get(token);
  const refuse = (status: number, more: string): void =>
    send(
      response,
      status,
      { error: "refused" },
      { "www-authenticate": `Bearer resource_metadata="${metadata}"${more}` },
    );
  if (scopes === undefined) return refuse(401, ', scope="tools:read"');
  const lacking = behaviour.needs.filter((scope) => !scopes.includes(scope));
  if (message.method === "tools/call" && lacking.length > 0) {
    return refuse(403, `, error="insufficient_scope", scope="${behaviour.needs.join(" ")}"`);
  }
  return send(response, 200, { jsonrpc: "2.0", id: message.id, result: resultOf(message) });
}

function resultOf({ method, params }: { method: string; params: { name?: string } }): object {
  const common = { resultType: "complete", ttlMs: 0, cacheScope: "private" };
  if (method === "server/discover") {
    return { ...common, supportedVersions: ["2026-07-28"], capabilities: { tools: {} } };
  }
  if (method === "tools/list") return { ...common, tools: [{ name: "look", inputSchema: { type: "object" } }] };
  return { resultType: "complete", content: [{ type: "text", text: `you used ${params.name}` }] };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

function send(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}
