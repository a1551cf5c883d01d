import { createServer } from "node:net";
import * as oauth from "oauth4webapi";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sessions } from "../gateway/mcp/face/session-server.ts";
import { answering, toolCall } from "../gateway/mcp/published-server.ts";
import { eventually } from "../kit/eventually.ts";
import type { GatehouseProcess } from "../kit/gatehouse-process.ts";
import type { Processes } from "./plane-processes.ts";
import { addToken, openProcesses, put } from "./plane-processes.ts";

const insecure = { [oauth.allowInsecureRequests]: true } as const;

let processes: Processes;
let control: GatehouseProcess;
/** Where the two gateways are really reached; all three processes are one address to clients. */
let gateways: readonly string[];
let server: oauth.AuthorizationServer;
let client: { readonly id: string; readonly clientId: string; readonly secret: string; readonly secretId: string };

beforeEach(async () => {
  processes = await openProcesses();
  control = await processes.startControl();
  await processes.putUpApi(control, [], { security: { apiKey: {}, oauth: {} } });
  await put(control, "/applications", { metadata: { name: "shop" }, spec: {} });
  client = await newClient();
  gateways = [await startGateway("one"), await startGateway("two")];
  const issuer = new URL(`${control.gatewayUrl}/auth`);
  const discovered = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...insecure });
  server = await oauth.processDiscoveryResponse(issuer, discovered);
  // Made at the control plane's start, the key is there before any token.
  expect(await statuses(await newToken())).toEqual([200, 200]);
}, 60_000);

afterEach(() => processes[Symbol.asyncDispose]());

async function startGateway(name: string): Promise<string> {
  const port = String(await freePort());
  const env = { GATEHOUSE_PUBLIC_URL: control.gatewayUrl };
  const options = await processes.gatewayOptions(name, control, { token: await addToken(control), env });
  await processes.start({ ...options, args: [...(options.args ?? []), "--port", port] });
  return `http://127.0.0.1:${port}`;
}

async function newClient(name = "backend"): Promise<typeof client> {
  const body = { metadata: { name }, spec: { environment: "production" } };
  const { json } = await control.control("POST", "/applications/shop/oauth-clients", body);
  const made = json as {
    metadata: { id: string };
    spec: { clientId: string };
    secret: { secretId: string; secretValue: string };
  }; // as the OpenAPI document has it
  const { clientId } = made.spec;
  return { id: made.metadata.id, clientId, secret: made.secret.secretValue, secretId: made.secret.secretId };
}

const authentication = () => oauth.ClientSecretBasic(client.secret);
const asked = () => ({ client_id: client.clientId });

async function newToken(path = "/a", of = client): Promise<string> {
  const parameters = { resource: control.gatewayUrl + path };
  const [asking, authenticating] = [{ client_id: of.clientId }, oauth.ClientSecretBasic(of.secret)];
  const answer = await oauth.clientCredentialsGrantRequest(server, asking, authenticating, parameters, insecure);
  return (await oauth.processClientCredentialsResponse(server, asking, answer)).access_token;
}

/** The status at each gateway, in their order. */
const statuses = (token: string): Promise<readonly number[]> =>
  Promise.all(
    gateways.map(async (url) => {
      const answer = await fetch(`${url}/a/v1/models`, { headers: { authorization: `Bearer ${token}` } });
      await answer.arrayBuffer();
      return answer.status;
    }),
  );

const endings = [
  {
    name: "a token that its client revokes",
    end: (token: string) => oauth.revocationRequest(server, asked(), authentication(), token, insecure),
  },
  {
    name: "the tokens of a client that is disabled",
    end: () => control.control("POST", `/oauth-clients/${client.id}/disable`),
  },
  {
    name: "the tokens of a secret that is revoked with them",
    end: () => {
      const path = `/applications/shop/oauth-clients/${client.clientId}/secrets/${client.secretId}`;
      return control.control("DELETE", `${path}?revokeTokens=true&force=true`);
    },
  },
];

describe("two gateway processes", () => {
  test.each(endings)("refuse $name, both of them, within a second", async ({ end }) => {
    const [token, other] = [await newToken(), await newToken()];
    for (const each of [token, other]) expect(await statuses(each)).toEqual([200, 200]);
    expect((await end(token)).status).toBeLessThan(300);
    const endedAtMs = performance.now();
    await eventually("both refuse it", async () => (await statuses(token)).every((status) => status === 401));
    expect(performance.now() - endedAtMs).toBeLessThan(1_000);
  });

  test("share sessions of MCP that belong to a client of OAuth, whatever token it shows, and nobody else's", async () => {
    const { upstream } = processes;
    upstream.respond(sessions(answering("fine")));
    const block = { url: `${upstream.url}/mcp`, era: "legacy" };
    const spec = {
      context: "/m",
      upstream: { production: block, sandbox: { sameAs: "production" } },
      security: { apiKey: {}, oauth: {} },
      authorization: { default: "deny", rules: [{ on: { tools: ["*"] } }] },
    };
    await put(control, "/mcp-servers", { metadata: { name: "m" }, spec });
    expect((await control.control("POST", "/mcp-servers/m/publish")).status).toBeLessThan(300);
    const [one = "", two = ""] = gateways;
    const post = (gateway: string, token: string, message: object, session?: string) =>
      fetch(`${gateway}/m/mcp`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${token}`,
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
          ...(session !== undefined && { "mcp-session-id": session }),
        },
        body: JSON.stringify(message),
      });
    const token = await newToken("/m/mcp");
    const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "c", version: "1" } };
    const initialize = { jsonrpc: "2.0", id: 0, method: "initialize", params };
    let session = "";
    await eventually("both serve it", async () => {
      const begun = await Promise.all([post(two, token, initialize), post(one, token, initialize)]);
      session = begun[1].headers.get("mcp-session-id") ?? "";
      return begun.every(({ status }) => status === 200);
    });
    const call = toolCall("legacy", 1, "echo");
    expect((await post(two, token, call, session)).status).toBe(200);
    expect((await post(two, await newToken("/m/mcp"), call, session)).status).toBe(200);
    const stranger = await newToken("/m/mcp", await newClient("stranger"));
    await eventually("the stranger is known", async () => (await post(two, stranger, initialize)).status === 200);
    expect((await post(two, stranger, call, session)).status).toBe(404);
  });

  test("take the first token of a key that signs at once, which neither has heard of before", async () => {
    const before = await newToken();
    expect(await statuses(before)).toEqual([200, 200]);
    await control.control("POST", "/key-managers/resident/rotate?overlapSeconds=0");
    const token = await newToken();
    // Until the news is there they cannot tell, and say so: a client that is refused would throw a good token away.
    const seen = new Set<number>();
    await eventually("both take it", async () => {
      const now = await statuses(token);
      for (const status of now) seen.add(status);
      return now.every((status) => status === 200);
    });
    expect([...seen].filter((status) => status !== 200 && status !== 503)).toEqual([]);
    expect(await statuses(before)).toEqual([200, 200]);
  });
});

async function freePort(): Promise<number> {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const address = listener.address();
  await new Promise((resolve) => listener.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
