import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { FeedAsker, FeedSeal } from "../../src/core/feed-seal.ts";
import { feedAsker } from "../../src/core/feed-seal.ts";
import type { FeedAnswer, FeedSecrets, GatewayFeed } from "../../src/core/gateway-feed.ts";
import { createGatewayFeed } from "../../src/core/gateway-feed.ts";
import type { ControlPlane } from "./control-plane.ts";
import { openControlPlane } from "./control-plane.ts";

let plane: ControlPlane;
let feed: GatewayFeed;

beforeEach(async () => {
  feed = createGatewayFeed({ context: () => plane.context, secrets: { read: (name) => `value of ${name}` } });
  plane = await openControlPlane({ core: { feed } });
});
afterEach(() => plane[Symbol.asyncDispose]());

const tokensPath = "/api/v1/gateways/default/tokens";

async function addToken(): Promise<{ token: string; id: string }> {
  const { text } = await plane.send("POST", tokensPath);
  return JSON.parse(text) as { token: string; id: string }; // what the routes' own test looks at
}

function ask(token: string, asker: FeedAsker = feedAsker(token), extra: Readonly<Record<string, string>> = {}) {
  const headers = { authorization: `Bearer ${token}`, "x-gatehouse-feed-key": asker.publicKey, ...extra };
  return plane.send("GET", "/api/v1/gateway-feed", undefined, headers);
}

type Told = FeedAnswer & { readonly sealed: FeedSeal };
const told = (text: string): Told => JSON.parse(text) as Told; // each test looks at what it needs

describe("tokens of a gateway", () => {
  test("a gateway has two at most; the third is refused until one is revoked", async () => {
    const first = await addToken();
    await addToken();
    const third = await plane.send("POST", tokensPath);
    expect(third.status).toBe(409);
    expect(third.body.detail).toMatch(/has 2 tokens/);
    expect((await plane.send("DELETE", `${tokensPath}/${first.id}`)).status).toBe(204);
    expect((await plane.send("POST", tokensPath)).status).toBe(201);
  });

  test("are listed without their values, and nothing that is stored holds one", async () => {
    const { token, id } = await addToken();
    const list = await plane.send("GET", tokensPath);
    expect(list.body.items).toEqual([{ id, createdAt: "2026-01-01T00:00:00.000Z" }]);
    expect(list.text).not.toContain(token);
    expect(await plane.context.catalog.read.settings.get("gateway-tokens")).not.toContain(token);
  });

  test("adding and revoking are in the audit, without the token", async () => {
    const { token, id } = await addToken();
    await plane.send("DELETE", `${tokensPath}/${id}`);
    const { rows } = await plane.context.catalog.read.audit.list({}, { limit: 10 });
    const actions = rows.map(({ action }) => action);
    expect(actions).toEqual(expect.arrayContaining(["gateway.token-added", "gateway.token-revoked"]));
    expect(JSON.stringify(rows)).not.toContain(token);
  });

  test("of a gateway that is not there, or one that is revoked already, are answered by 404", async () => {
    const { id } = await addToken();
    expect((await plane.send("POST", "/api/v1/gateways/nobody/tokens")).status).toBe(404);
    expect((await plane.send("GET", "/api/v1/gateways/nobody/tokens")).status).toBe(404);
    expect((await plane.send("DELETE", `${tokensPath}/${id}`)).status).toBe(204);
    expect((await plane.send("DELETE", `${tokensPath}/${id}`)).status).toBe(404);
  });

  test("die with their gateway, and one of the same name inherits none", async () => {
    await plane.send("POST", "/api/v1/gateways", { metadata: { name: "edge" }, spec: {} });
    const { text } = await plane.send("POST", "/api/v1/gateways/edge/tokens");
    const { token } = JSON.parse(text) as { token: string };
    expect((await ask(token)).status).toBe(200);
    await plane.send("DELETE", "/api/v1/gateways/edge", undefined, { "if-match": "*" });
    expect((await ask(token)).status).toBe(401);
    await plane.send("POST", "/api/v1/gateways", { metadata: { name: "edge" }, spec: {} });
    expect((await ask(token)).status).toBe(401);
    expect((await plane.send("GET", "/api/v1/gateways/edge/tokens")).body.items).toEqual([]);
  });
});

describe("who may ask", () => {
  test("no token, a wrong one, a revoked one and the admin's are refused", async () => {
    const { token, id } = await addToken();
    expect((await ask(token)).status).toBe(200);
    const none = await plane.send("GET", "/api/v1/gateway-feed", undefined, { authorization: null });
    expect(none.status).toBe(401);
    expect((await plane.send("GET", "/api/v1/gateway-feed")).status).toBe(401);
    expect((await ask(`${token.slice(0, -1)}${token.endsWith("0") ? "1" : "0"}`)).status).toBe(401);
    await plane.send("DELETE", `${tokensPath}/${id}`);
    expect((await ask(token)).status).toBe(401);
  });

  test("a gateway's token opens nothing else", async () => {
    const { token } = await addToken();
    const headers = { authorization: `Bearer ${token}` };
    for (const path of ["/api/v1/secrets", "/api/v1/api-keys", "/api/v1/status", tokensPath]) {
      expect((await plane.send("GET", path, undefined, headers)).status).toBe(401);
    }
  });

  test.each(["", "short", "!".repeat(43), "A".repeat(43)])("a public key that is none (%j) is refused", async (key) => {
    const { token } = await addToken();
    const answer = await ask(token, { ...feedAsker(token), publicKey: key });
    expect(answer.status).toBe(400);
  });
});

describe("what is answered", () => {
  test("everything at first, then 304, then what has come since", async () => {
    const { token } = await addToken();
    const whole = await ask(token);
    expect(told(whole.text)).toMatchObject({ format: 1, type: "whole" });
    expect(told(whole.text).messages.map(({ type }) => type)).toEqual(
      expect.arrayContaining(["artifacts", "credentials", "identity"]),
    );
    const seen = { "if-none-match": whole.headers.get("etag") ?? "" };
    const same = await ask(token, undefined, seen);
    expect([same.status, same.text]).toEqual([304, ""]);
    feed.note({ type: "credential.removed", publicId: "one" });
    feed.note({ type: "credential.removed", publicId: "two" });
    const changes = await ask(token, undefined, seen);
    expect(told(changes.text)).toMatchObject({ type: "changes", messages: [{ publicId: "one" }, { publicId: "two" }] });
    const after = { "if-none-match": changes.headers.get("etag") ?? "" };
    expect((await ask(token, undefined, after)).status).toBe(304);
  });

  test.each(['"of-another-process.3"', '"nonsense"', "*", '"', `"${"x".repeat(100)}"`])(
    "a version that this process did not give (%s) gets everything",
    async (version) => {
      const { token } = await addToken();
      const answer = await ask(token, undefined, { "if-none-match": version });
      expect(told(answer.text).type).toBe("whole");
    },
  );

  test("a gateway that is too far behind gets everything", async () => {
    const { token } = await addToken();
    const whole = await ask(token);
    for (let at = 0; at < 10_001; at += 1) feed.note({ type: "credential.removed", publicId: `k${at}` });
    const behind = await ask(token, undefined, { "if-none-match": whole.headers.get("etag") ?? "" });
    expect(told(behind.text).type).toBe("whole");
  });

  test("the secrets that deployed things refer to come sealed for the asker alone, and no others", async () => {
    const { token } = await addToken();
    for (const name of ["used-one", "unused"]) await plane.send("PUT", `/api/v1/secrets/${name}`, { value: "x" });
    const spec = { use: "openai-compatible", with: { baseUrl: "https://a.example", apiKey: "${secret:used-one}" } };
    await plane.send("POST", "/api/v1/llm-providers", { metadata: { name: "p" }, spec });
    const asker = feedAsker(token);
    const answer = await ask(token, asker);
    expect(answer.text).not.toContain("value of");
    const { sealed } = told(answer.text);
    const secrets = JSON.parse(asker.open(sealed)) as FeedSecrets; // written by the route
    expect(secrets.values).toEqual({ "used-one": "value of used-one" });
    expect(secrets.pepper).toEqual({ id: "p1", key: plane.context.pepper.key.export().toString("hex") });
    expect(() => feedAsker(token).open(sealed)).toThrow(expect.objectContaining({ code: "secret.undecryptable" }));
  });

  test("changes that touch no secret bring no values", async () => {
    const { token } = await addToken();
    const whole = await ask(token);
    feed.note({ type: "credential.removed", publicId: "one" });
    const asker = feedAsker(token);
    const changes = await ask(token, asker, { "if-none-match": whole.headers.get("etag") ?? "" });
    expect(JSON.parse(asker.open(told(changes.text).sealed))).not.toHaveProperty("values");
  });
});

describe("reports", () => {
  const send = async (body: unknown) => {
    const { token } = await addToken();
    return plane.send("POST", "/api/v1/gateway-reports", body, { authorization: `Bearer ${token}` });
  };

  test("of uses are noted; ids that nobody knows do no harm", async () => {
    expect((await send({ type: "credentials.used", used: [{ keyId: "key_unknown", atMs: 1 }] })).status).toBe(204);
  });

  test.each([
    { name: "another type", body: { type: "artifacts" } },
    { name: "a time that is none", body: { type: "credentials.used", used: [{ keyId: "k", atMs: "now" }] } },
    { name: "no object", body: [] },
  ])("with $name are refused", async ({ body }) => {
    expect((await send(body)).status).toBe(400);
  });

  test("need a token", async () => {
    const answer = await plane.send("POST", "/api/v1/gateway-reports", { type: "credentials.used", used: [] });
    expect(answer.status).toBe(401);
  });
});
