import { revokeUpstreamCredential } from "../../../../src/core/upstream-vault.ts";
import { createUser } from "../../../../src/core/users.ts";
import type { AuthGatehouse } from "../../../identity/resident/auth-kit.ts";
import { codeFlow, password, startAuthGatehouse } from "../../../identity/resident/auth-kit.ts";
import type { Browser, Seen } from "../../../identity/resident/browser.ts";
import { createBrowser } from "../../../identity/resident/browser.ts";
import { testActor } from "../../../kit/gatehouse.ts";
import type { RawAnswer } from "../../../kit/raw-http.ts";
import { rawHttp } from "../../../kit/raw-http.ts";
import type { RpcAnswer } from "../published-server.ts";
import { modernVersion } from "../published-server.ts";
import type { ProtectedUpstream } from "./protected-upstream.ts";
import { startProtectedUpstream } from "./protected-upstream.ts";

/** A gateway whose MCP server `tools` is used with people's own accounts at a protected upstream. */
export interface ConsentKit extends AsyncDisposable {
  readonly at: AuthGatehouse;
  readonly upstream: ProtectedUpstream;
  readonly url: string;
  /** A token of a person for the MCP server, got by a client of that name. */
  tokenOf(person: string, client?: string): Promise<string>;
  /** One message of a client that is of 2026-07-28. */
  send(token: string, method: string, params?: object, capabilities?: object): Promise<RawAnswer>;
  /** `tools/call` of `look`. */
  call(token: string, more?: object, capabilities?: object): Promise<RpcAnswer>;
  /** Opens a page, logs in where it is asked for. */
  open(person: string, url: string, browser?: Browser): Promise<{ readonly browser: Browser; readonly seen: Seen }>;
  /** Nobody has anything, and the server is as it was. */
  reset(): Promise<void>;
  /** The whole way of a person who says yes; the last page. */
  consent(person: string, url: string): Promise<Seen>;
}

export async function startConsentKit(settings: Record<string, string> = {}): Promise<ConsentKit> {
  const upstream = await startProtectedUpstream();
  const at = await startAuthGatehouse({ "network.allowCidrs": "127.0.0.0/8", ...settings });
  const { context, gatewayUrl } = at.gatehouse.running;
  await createUser(context, testActor, { metadata: { name: "bob" }, spec: {}, password });
  await at.gatehouse.put("McpServer", "tools", serverSpec(upstream.url));
  const url = `${gatewayUrl}/tools/mcp`;
  const clients = new Map<string, ReturnType<AuthGatehouse["client"]>>();
  const redirectUri = "http://127.0.0.1:4711/callback";

  const open: ConsentKit["open"] = async (person, link, browser = createBrowser(gatewayUrl)) => {
    let seen = await browser.open(link);
    if (seen.html.includes('name="password"')) seen = await browser.submit(seen, "log-in", { name: person, password });
    return { browser, seen };
  };
  const send: ConsentKit["send"] = (token, method, params = {}, capabilities = {}) => {
    const meta = {
      "io.modelcontextprotocol/protocolVersion": modernVersion,
      "io.modelcontextprotocol/clientCapabilities": capabilities,
    };
    const { name } = params as { name?: string }; // a test's own
    return rawHttp(url, {
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": modernVersion,
        "mcp-method": method,
        ...(name !== undefined && { "mcp-name": name }),
      },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: { ...params, _meta: meta } }),
    });
  };
  return {
    at,
    upstream,
    url,
    open,
    send,
    async tokenOf(person, client = "agent") {
      const spec = { grantTypes: ["authorization_code"], redirectUris: [redirectUri], displayName: client };
      const made = clients.get(client) ?? at.client({ ...spec, tokenEndpointAuthMethod: "none" });
      clients.set(client, made);
      const flow = { made: await made, redirectUri, resource: url, person };
      return (await codeFlow(at, flow)).access_token;
    },
    async call(token, more = {}, capabilities = {}) {
      const answer = await send(token, "tools/call", { name: "look", arguments: {}, ...more }, capabilities);
      return answer.json() as RpcAnswer; // the tests look at every member that they use
    },
    async reset() {
      upstream.reset();
      const { rows } = await context.catalog.read.upstreamCredentials.list({}, { limit: 100, cursor: undefined });
      for (const { id } of rows) await revokeUpstreamCredential(context, testActor, id);
      const known = await context.catalog.read.upstreamClients.find(upstream.issuer, `${at.issuer}/connected`);
      if (known !== undefined) await context.catalog.transaction((tx) => tx.upstreamClients.delete(known.id));
      await at.gatehouse.put("McpServer", "tools", serverSpec(upstream.url));
    },
    async consent(person, link) {
      const { browser, seen } = await open(person, link);
      const sent = await browser.submit(seen, "allow");
      if (sent.redirect === undefined) return sent;
      const answer = await fetch(sent.redirect, { redirect: "manual" });
      return browser.open(answer.headers.get("location") ?? "");
    },
    async [Symbol.asyncDispose]() {
      await at[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

/** The MCP server in front of an upstream, with changes to its `auth`. */
export function serverSpec(url: string, auth: object = {}): object {
  return {
    context: "/tools",
    displayName: "Tools <b>of</b> theirs",
    upstream: {
      production: { url, auth: { type: "authorization-code", ...auth }, era: "modern" },
      sandbox: { sameAs: "production" },
    },
    security: { apiKey: false, oauth: {} },
  };
}

/** The page that an answer names. */
export function linkIn(answer: unknown): string {
  const found = /https?:\/\/[\w.:-]+\/auth\/connect\/[\w.?=%-]+/.exec(JSON.stringify(answer));
  if (found === null) throw new Error(`no link in ${JSON.stringify(answer)}`);
  return found[0];
}

/** The result of a call that was answered by the upstream. */
export const used = { result: { content: [{ type: "text", text: "you used look" }] } };
