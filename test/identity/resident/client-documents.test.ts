import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { setOauthClientDisabled } from "../../../src/core/manage-oauth-clients.ts";
import { storeRegisteredClient } from "../../../src/core/registered-client.ts";
import { createDocumentFetch, createDocumentGate } from "../../../src/identity/resident/client-documents.ts";
import { createNetworkPolicy } from "../../../src/kernel/network-policy.ts";
import type { SafeFetch, SafeFetchOptions, SafeResponse } from "../../../src/kernel/safe-fetch.ts";
import { createSafeFetch } from "../../../src/kernel/safe-fetch.ts";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse, testActor } from "../../kit/gatehouse.ts";
import { residentSettings, serveResident } from "./serve-resident.ts";

/** A way out that leads to one document. */
function fetchOf(body: string, headers: Record<string, string> = {}, status = 200) {
  const asked: { url: string; options: SafeFetchOptions }[] = [];
  const fetch = async (url: string | URL, options: SafeFetchOptions): Promise<SafeResponse> => {
    asked.push({ url: String(url), options });
    const bytes = Buffer.from(body);
    return {
      url: String(url),
      status,
      headers,
      body: bytes,
      text: () => body,
      json: () => JSON.parse(body) as unknown,
    };
  };
  const disposable: SafeFetch = Object.assign(fetch, { [Symbol.asyncDispose]: async () => {} });
  return { asked, fetch: disposable };
}

const clientId = "https://agent.example.com/client.json";
const document = {
  client_id: clientId,
  client_name: "Agent",
  redirect_uris: ["http://127.0.0.1/callback"],
  gatehouse: { environment: "sandbox", name: "x" },
};

describe("a client's document", () => {
  test("is fetched as the address of a stranger, small and in short time, and what it must not say is left out", async () => {
    const { asked, fetch } = fetchOf(JSON.stringify(document), { "cache-control": "max-age=600", "set-cookie": "a=b" });
    const answer = await createDocumentFetch(fetch)(clientId);
    expect(asked[0]?.options).toMatchObject({ chosenBy: "response", maxBytes: 5_120, timeoutMs: 3_000 });
    expect(asked[0]?.options.maxRedirects).toBeUndefined();
    const said = (await answer.json()) as Record<string, unknown>; // looked at below
    expect(said["gatehouse"]).toBeUndefined();
    expect(said).toMatchObject({ application_type: "native", token_endpoint_auth_method: "none" });
    expect([...answer.headers.keys()].sort()).toEqual(["cache-control", "content-type"]);
  });

  const inside = [
    "https://127.0.0.1/c",
    "https://localhost/c",
    "https://169.254.169.254/c",
    "https://[::1]/c",
    "https://10.0.0.1/c",
  ];
  test.each(inside)("at %s is not fetched", async (url) => {
    await using fetch = createSafeFetch({ policy: createNetworkPolicy({ allowCidrs: [], operatorReach: [] }) });
    await expect(createDocumentFetch(fetch)(url)).rejects.toMatchObject({ code: "upstream.refused_address" });
  });

  test.each(["[]", "null", '"x"'])("that is %s is refused", async (body) => {
    await expect(createDocumentFetch(fetchOf(body).fetch)(clientId)).rejects.toMatchObject({
      code: "upstream.invalid",
    });
  });
});

describe("a list of hosts", () => {
  const rows = [
    { name: "that is absent lets any document in", hosts: {}, admitted: true },
    { name: "of allowed hosts that has it", hosts: { allowed: ["agent.example.com"] }, admitted: true },
    { name: "of allowed hosts that has those above it", hosts: { allowed: ["*.Example.com"] }, admitted: true },
    { name: "of allowed hosts that is empty", hosts: { allowed: [] }, admitted: false },
    { name: "of allowed hosts with another", hosts: { allowed: ["*.agent.example.com", "com"] }, admitted: false },
    { name: "of denied hosts that has it", hosts: { denied: ["AGENT.example.com"] }, admitted: false },
    { name: "of denied hosts, which wins", hosts: { allowed: ["*.com"], denied: ["*.example.com"] }, admitted: false },
    { name: "of denied hosts with another", hosts: { denied: ["gent.example.com", "*.x.com"] }, admitted: true },
  ];
  test.each(rows)("$name", async ({ hosts, admitted }) => {
    await using gatehouse = await startTestGatehouse();
    const settings = { ...residentSettings, documentHosts: { allowed: undefined, denied: [], ...hosts } };
    const isAdmitted = createDocumentGate({ context: gatehouse.running.context, settings });
    const spellings = [clientId, "https://AGENT.example.com./client.json", "https://agent.example.com:8443/c"];
    expect(await Promise.all(spellings.map(isAdmitted))).toEqual([admitted, admitted, admitted]);
    expect(await isAdmitted("no URL")).toBe(false);
  });
});

describe("the authorization endpoint", () => {
  let gatehouse: TestGatehouse;
  beforeAll(async () => {
    gatehouse = await startTestGatehouse();
  });
  afterAll(() => gatehouse[Symbol.asyncDispose]());

  const ask = async (body: object, redirectUri = "http://127.0.0.1:5/callback") => {
    const { gatewayUrl } = gatehouse.running;
    await gatehouse.put("McpServer", "tools", {
      context: "/tools",
      upstream: { production: { url: "http://127.0.0.1:9/mcp" }, sandbox: { sameAs: "production" } },
      security: { apiKey: false, oauth: {} },
    });
    const { fetch, asked } = fetchOf(JSON.stringify(body));
    await using served = await serveResident(gatehouse, { fetch });
    const query = new URLSearchParams({
      client_id: clientId,
      redirect_uri: redirectUri,
      response_type: "code",
      code_challenge: "x".repeat(43),
      code_challenge_method: "S256",
      resource: `${gatewayUrl}/tools/mcp`,
    });
    const answer = await globalThis.fetch(`${served.issuer}/authorize?${query.toString()}`, { redirect: "manual" });
    const registered = await globalThis.fetch(`${served.issuer}/register`, { method: "POST", body: "{}" });
    return { answer, text: await answer.text(), asked, registered };
  };

  test("takes a client by its document, loopback on any port, and registers nobody where that is off", async () => {
    const { answer, asked, registered } = await ask(document);
    expect(asked.map(({ url }) => url)).toEqual([clientId]);
    expect(answer.status).toBe(303);
    expect(answer.headers.get("location")).toMatch(/^\/auth\/interaction\//);
    for (const cookie of answer.headers.getSetCookie()) expect(cookie).toMatch(/httponly/i);
    expect(registered.status).toBe(404);
    expect(await registered.json()).toMatchObject({
      error: "not_found",
      error_description: expect.stringContaining("/auth/.well-known/openid-configuration"),
    });
  });

  test("takes no client that an administrator has disabled, without asking for its document", async () => {
    const { context } = gatehouse.running;
    const { id } = await storeRegisteredClient(context, {
      clientId,
      source: "metadata-document",
      displayName: "Agent",
      metadata: {
        grantTypes: ["authorization_code"],
        redirectUris: document.redirect_uris,
        tokenEndpointAuthMethod: "none",
        tokenLifetimes: {},
        applicationType: "native",
      },
      secretValue: undefined,
    });
    const change = { address: { id }, expectedVersion: undefined };
    await setOauthClientDisabled(context, testActor, change, true);
    const refused = await ask(document);
    expect([refused.answer.status, refused.asked]).toEqual([400, []]);
    expect(refused.answer.headers.get("location")).toBeNull();
    await setOauthClientDisabled(context, testActor, change, false);
    expect((await ask(document)).answer.status).toBe(303);
  });

  const bad = [
    { name: "of another id", body: { ...document, client_id: "https://agent.example.com/other.json" } },
    { name: "with a secret", body: { ...document, client_secret: "s3cret" } },
    { name: "without redirects", body: { ...document, redirect_uris: [] } },
    { name: "with a script for a redirect", body: { ...document, redirect_uris: ["javascript:alert(1)"] } },
  ];
  test.each(bad)("refuses a document $name, and redirects nowhere", async ({ body }) => {
    const { answer } = await ask(body);
    expect(answer.status).toBe(400);
    expect(answer.headers.get("location")).toBeNull();
  });

  test("refuses a redirect that the document does not name, and redirects nowhere", async () => {
    const { answer } = await ask(document, "https://evil.example.com/callback");
    expect(answer.status).toBe(400);
    expect(answer.headers.get("location")).toBeNull();
  });
});
