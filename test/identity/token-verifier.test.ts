// long: what a verifier makes of each key manager and each kind of token, with one clock
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { KeyManagerRecord } from "../../src/core/plane-message.ts";
import type { LiveTokenVerifier } from "../../src/identity/token-verifier.ts";
import { createTokenVerifier } from "../../src/identity/token-verifier.ts";
import type { TokenCheck, TokenPlace } from "../../src/pipeline/token-verifier.ts";
import { buildExchange } from "../kit/exchange.ts";
import type { TestKeyManagerTools } from "../kit/key-manager-tools.ts";
import { keyManagerRecord, keyManagerTools } from "../kit/key-manager-tools.ts";
import type { ReplayServer } from "../kit/replay-server.ts";
import { startReplayServer } from "../kit/replay-server.ts";
import type { TokenIssuer } from "../kit/token-issuer.ts";
import { clientRecord, createTokenIssuer, residentRecord } from "../kit/token-issuer.ts";

const publicUrl = "https://gateway.example.com";
const exchange = buildExchange({ api: { kind: "LlmApi", context: "/chat" } });
const demand = { keyManagers: undefined, audience: [] };

let tools: TestKeyManagerTools;
let issuer: TokenIssuer;
let verifier: LiveTokenVerifier;

beforeEach(async () => {
  tools = keyManagerTools({ asker: "s3cret" });
  issuer = await issuerAt();
  verifier = createTokenVerifier({ ...tools, publicUrl: () => publicUrl });
  know([residentRecord(issuer)]);
});

afterEach(async () => {
  verifier[Symbol.dispose]();
  await tools[Symbol.asyncDispose]();
});

function issuerAt(options: { issuer?: string; alg?: string } = {}): Promise<TokenIssuer> {
  const nowSeconds = () => Math.floor(tools.clock.now() / 1_000);
  return createTokenIssuer({ ...options, nowSeconds, claims: { client_id: "client-1", aud: `${publicUrl}/chat` } });
}

function know(keyManagers: readonly KeyManagerRecord[]): void {
  const clients = keyManagers.map(({ id }) => clientRecord({ keyManagerId: id }));
  verifier.apply({ type: "identity", keyManagers, clients, revocations: [] });
}

async function check(
  token: string,
  more: Partial<typeof demand> & { keyManagers?: string[] } = {},
  place: TokenPlace = "bearer",
) {
  const found = await verifier.verify(token, { ...demand, ...more }, exchange, place);
  return found.type === "token" ? "token" : found.detail;
}

function again(token: string): TokenCheck {
  const found = verifier.verify(token, demand, exchange, "bearer");
  if (found instanceof Promise) throw new TypeError("it was checked anew");
  return found;
}

describe("a token whose key is not known", () => {
  const behind = (heardAtMs: number) => {
    verifier[Symbol.dispose]();
    verifier = createTokenVerifier({ ...tools, publicUrl: () => publicUrl, heardAtMs: () => heardAtMs });
  };
  const found = async (token: string) => (await verifier.verify(token, demand, exchange, "bearer")).type;

  test("cannot be judged by a gateway that has heard nothing since it was issued, and can be once the key is told", async () => {
    behind(tools.clock.now() - 60_000);
    know([residentRecord(issuer)]);
    await issuer.rotate("key-2");
    const token = await issuer.sign();
    expect(await found(token)).toBe("unavailable");
    know([residentRecord(issuer)]);
    expect(await found(token)).toBe("token");
  });

  test("is refused where it is older than the last word, and where it does not say how old it is", async () => {
    behind(tools.clock.now() - 60_000);
    know([residentRecord(issuer)]);
    const iat = Math.floor(tools.clock.now() / 1_000) - 120;
    for (const claims of [{ iat }, { iat: null }]) {
      expect(await found(await issuer.sign(claims, { kid: "made-up" }))).toBe("refused");
    }
    behind(tools.clock.now());
    know([residentRecord(issuer)]);
    expect(
      await found(await issuer.sign({ iat: Math.floor(tools.clock.now() / 1_000) - 10 }, { kid: "made-up" })),
    ).toBe("refused");
  });
});

describe("a token that was checked", () => {
  test("is known at once, without its signature", async () => {
    const token = await issuer.sign();
    expect(verifier.verify(token, demand, exchange, "bearer")).toBeInstanceOf(Promise);
    await check(token);
    expect(again(token)).toMatchObject({ type: "token", token: { clientId: "client-1", subject: "user-1" } });
  });

  test("costs a few microseconds from then on", async () => {
    const token = await issuer.sign({ padding: "x".repeat(700) });
    await check(token);
    const rounds = 20_000;
    for (let round = 0; round < rounds; round += 1) again(token);
    const begun = performance.now();
    for (let round = 0; round < rounds; round += 1) again(token);
    expect(((performance.now() - begun) * 1_000) / rounds).toBeLessThan(100); // 3 on a machine at rest; a signature is more
  });

  test("ends when it says, and not by the clock alone: thirty seconds either way", async () => {
    const token = await issuer.sign();
    await check(token);
    tools.clock.advance(629_000);
    expect(again(token).type).toBe("token");
    tools.clock.advance(1_000);
    expect(again(token)).toEqual({ type: "refused", detail: "it has expired" });
  });

  test("is refused when the clock jumps back before its beginning, and good again when it comes right", async () => {
    const token = await issuer.sign();
    await check(token);
    tools.clock.advance(-3_600_000);
    expect(again(token)).toEqual({ type: "refused", detail: "it was issued in the future" });
    tools.clock.advance(3_600_000);
    expect(again(token).type).toBe("token");
  });

  test("is checked anew when its key manager has other keys, and refused when its own has gone", async () => {
    const token = await issuer.sign();
    await check(token);
    await issuer.rotate("key-2", true);
    verifier.apply({
      type: "key-manager.put",
      record: residentRecord(issuer),
    });
    expect(await check(token)).toMatch(/key is not among/);
  });

  test("is as good for another API only when it is meant for that", async () => {
    const token = await issuer.sign();
    await check(token);
    const other = buildExchange({ api: { kind: "McpServer", context: "/chat" } });
    expect(await verifier.verify(token, demand, other, "bearer")).toMatchObject({
      detail: expect.stringContaining("not meant"),
    });
    expect(await check(await issuer.sign({ aud: "legacy" }), { audience: ["legacy"] as never })).toBe("token");
  });

  test("keeps no promise when its key manager is turned off or taken away", async () => {
    const token = await issuer.sign();
    await check(token);
    verifier.apply({ type: "key-manager.put", record: residentRecord(issuer, { enabled: false }) });
    expect(await check(token)).toMatch(/issuer/);
    verifier.apply({ type: "key-manager.removed", id: residentRecord(issuer).id });
    expect(await check(token)).toMatch(/issuer/);
  });
});

describe("several key managers", () => {
  test("are chosen by issuer, and an API accepts only those that it names", async () => {
    const far = await issuerAt({ issuer: "https://far.example.com" });
    const farId = "km_000000000000000000000002" as KeyManagerRecord["id"]; // an id like any other
    know([residentRecord(issuer), residentRecord(far, { id: farId, name: "far" })]);
    const token = await far.sign();
    expect(await check(token)).toBe("token");
    expect(await check(token, { keyManagers: ["far"] as never })).toBe("token");
    expect(await check(token, { keyManagers: ["resident"] as never })).toMatch(/does not accept/);
    expect(await check(await issuer.sign({ iss: far.issuer }))).toMatch(/signature/);
    expect(verifier.issuers(undefined)).toEqual([issuer.issuer, far.issuer]);
    expect(verifier.issuers(["far"])).toEqual([far.issuer]);
  });

  test("of which one does not compile serve all the same", async () => {
    const broken = keyManagerRecord("no-such", {}, { name: "broken" });
    know([broken, residentRecord(issuer)]);
    expect(await check(await issuer.sign())).toBe("token");
    expect(tools.log.lines.some(({ level }) => level === "error")).toBe(true);
  });
});

describe("JWT keys of another gateway", () => {
  let old: TokenIssuer;
  const claims = { aud: null, client_id: null, subscribedAPIs: [{ name: "chat", context: "/chat" }] };

  beforeEach(async () => {
    old = await issuerAt({ issuer: "https://old.example.com/oauth2/token", alg: "RS256" });
    know([keyManagerRecord("jwt-keys", { issuer: old.issuer, publicKey: old.pem, algorithms: ["RS256"] })]);
  });

  test("open the APIs of their list, as bearer tokens and in the header of keys", async () => {
    const key = await old.sign({ ...claims, keytype: "SANDBOX" }, { typ: "JWT", kid: null });
    expect(await check(key)).toBe("token");
    expect(await check(key, {}, "key-header")).toBe("token");
    expect(again(key)).toMatchObject({ token: { environment: "sandbox" }, client: undefined });
  });

  test.each([
    ["for other APIs", { subscribedAPIs: [{ name: "other", context: "/other" }] }, /does not hold/],
    [
      "for an API of that name elsewhere",
      { subscribedAPIs: [{ name: "chat", context: "/old/chat" }] },
      /does not hold/,
    ],
    ["without a list", { subscribedAPIs: null }, /does not hold/],
    ["from another address", { permittedIP: "198.51.100.0/24, 203.0.113.7" }, /from 192.0.2.7/],
    ["with addresses that nobody can read", { permittedIP: "somewhere" }, /from 192.0.2.7/],
    ["with a number for an address", { permittedIP: 7 }, /from 192.0.2.7/],
    ["with an object for addresses", { permittedIP: { ip: "192.0.2.7" } }, /from 192.0.2.7/],
    ["with a list of numbers for addresses", { permittedIP: [1, 2] }, /from 192.0.2.7/],
    ["with a list of nothing", { permittedIP: [""] }, /from 192.0.2.7/],
    ["with commas and no address", { permittedIP: " , " }, /from 192.0.2.7/],
    ["with false for addresses", { permittedIP: false }, /from 192.0.2.7/],
    ["with true for a referrer", { permittedReferer: true }, /referrer/],
    ["with an object for referrers", { permittedReferer: { any: "*" } }, /referrer/],
    ["from another page", { permittedReferer: "www.example.com/*" }, /referrer/],
    ["that have ended", { exp: 1 }, /expired/],
  ])("%s are refused", async (_name, more, why) => {
    expect(await check(await old.sign({ ...claims, ...more }, { typ: "JWT" }))).toMatch(why);
  });

  test.each([
    ["absent bounds", {}],
    ["null", { permittedIP: null, permittedReferer: null }],
    ["empty text", { permittedIP: "", permittedReferer: "" }],
    ["empty lists", { permittedIP: [], permittedReferer: [] }],
    ["networks that overlap", { permittedIP: "192.0.2.0/24,192.0.2.0/25,192.0.2.7/32,0.0.0.0/0" }],
    ["one address that can be read among others", { permittedIP: ["somewhere", 5, "192.0.2.7"] }],
  ])("with %s are let in", async (_name, more) => {
    expect(await check(await old.sign({ ...claims, ...more }, { typ: "JWT" }))).toBe("token");
  });

  test("from a permitted address are let in", async () => {
    expect(await check(await old.sign({ ...claims, permittedIP: "192.0.2.0/24" }, { typ: "JWT" }))).toBe("token");
  });
});

test("tokens of other key managers are refused in the header of keys", async () => {
  expect(await check(await issuer.sign(), {}, "key-header")).toMatch(/issuer/);
});

describe("a token that is no JWT", () => {
  let server: ReplayServer;

  beforeEach(async () => {
    server = await startReplayServer();
    const introspection = { clientId: "gate way", clientSecret: "${secret:asker}", cacheSeconds: 30 };
    server.play([{ url: "/keys", answer: issuer.jwks }]);
    know([keyManagerRecord("oidc", { issuer: server.url, jwksUrl: `${server.url}/keys`, introspection })]);
    await expect.poll(() => server.asked.length).toBe(1); // the keys
  });

  afterEach(() => server[Symbol.asyncDispose]());

  const document = {
    url: "/.well-known/openid-configuration",
    answer: { issuer: "{url}", jwks_uri: "{url}/keys", introspection_endpoint: "{url}/introspect" },
  };
  const active = { active: true, client_id: "client-1", sub: "u", aud: `${publicUrl}/chat`, scope: "a b" };

  test("is asked about once, and for half a minute what was said holds", async () => {
    server.play([document, { url: "/introspect", answer: active }, { url: "/introspect", answer: { active: false } }]);
    expect(await check("opaque-token")).toBe("token");
    expect(again("opaque-token")).toMatchObject({ token: { scopes: ["a", "b"] } });
    expect(server.asked[1]).toMatchObject({ method: "POST", body: "token=opaque-token&token_type_hint=access_token" });
    expect(server.asked[1]?.headers["authorization"]).toBe(
      `Basic ${Buffer.from("gate+way:s3cret").toString("base64")}`,
    );
    tools.clock.advance(30_000);
    expect(await check("opaque-token")).toMatch(/form/);
  });

  test.each([
    ["of another issuer", { ...active, iss: "https://evil.example.com" }, /form/],
    ["for another API", { ...active, aud: "other" }, /not meant/],
    ["that has ended", { ...active, exp: 1 }, /expired/],
    ["that the server does not know", { active: false }, /form/],
    ["that may or may not be active", { active: "true" }, /form/],
  ])("%s is refused", async (_name, answer, why) => {
    server.play([document, { url: "/introspect", answer }]);
    expect(await check("opaque-token")).toMatch(why);
  });

  test("that nobody knows is nobody's for some seconds, without asking again", async () => {
    server.play([document, { url: "/introspect", answer: { active: false } }]);
    for (let attempt = 0; attempt < 3; attempt += 1) expect(await check("garbage")).toMatch(/form/);
    expect(server.asked.filter(({ url }) => url === "/introspect").length).toBe(1);
    tools.clock.advance(10_000);
    server.play([{ url: "/introspect", answer: active }]);
    expect(await check("garbage")).toBe("token");
  });

  test("is asked about no more for an address that has shown sixty unknown ones in a minute; others go on", async () => {
    const unknown = { url: "/introspect", answer: { active: false } };
    server.play([document, ...Array.from({ length: 61 }, () => unknown), { url: "/introspect", answer: active }]);
    for (let index = 0; index < 60; index += 1) expect(await check(`garbage-${index}`)).toMatch(/form/);
    const more = await verifier.verify("garbage-60", demand, exchange, "bearer");
    expect(more).toMatchObject({ type: "unavailable", detail: expect.stringContaining("60 unknown tokens") });
    const elsewhere = { ...exchange, inbound: { ...exchange.inbound, clientIp: "198.51.100.9" } };
    expect(await verifier.verify("garbage-61", demand, elsewhere, "bearer")).toMatchObject({ type: "refused" });
    tools.clock.advance(60_000);
    expect(await check("opaque-token")).toBe("token");
  });

  test("waits for a place when many are asked about at once, and none is shut out", async () => {
    const answers = Array.from({ length: 40 }, () => ({ url: "/introspect", answer: active }));
    server.play([document, { url: "/introspect", answer: active }]);
    await check("the-first");
    server.play(answers);
    const found = await Promise.all(answers.map((_, index) => check(`opaque-${index}`)));
    expect(new Set(found)).toEqual(new Set(["token"]));
  });

  test("is left open while the server does not answer", async () => {
    server.play([document, { url: "/introspect", status: 500 }]);
    expect(await verifier.verify("opaque-token", demand, exchange, "bearer")).toMatchObject({ type: "unavailable" });
  });
});

describe("a token that is no JWT, with several servers to ask", () => {
  let servers: readonly [ReplayServer, ReplayServer];
  const active = { active: true, client_id: "client-1", sub: "u", aud: `${publicUrl}/chat` };

  beforeEach(async () => {
    servers = [await startReplayServer(), await startReplayServer()];
    for (const server of servers) server.play([{ url: "/keys", answer: issuer.jwks }]);
  });
  afterEach(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]();
  });

  const knowBoth = async (prefixes: readonly [string | undefined, string | undefined]): Promise<void> => {
    const records = servers.map(({ url }, index) => {
      const tokenPrefix = prefixes[index];
      const introspection = {
        clientId: "gateway",
        clientSecret: "${secret:asker}",
        ...(tokenPrefix === undefined ? {} : { tokenPrefix }),
      };
      const id = `km_00000000000000000000000${index + 2}` as KeyManagerRecord["id"]; // an id like any other
      return keyManagerRecord(
        "oidc",
        { issuer: url, jwksUrl: `${url}/keys`, introspection },
        { id, name: `far-${index}` },
      );
    });
    know(records);
    for (const server of servers) {
      await expect.poll(() => server.asked.length).toBe(1); // the keys
      server.play([
        {
          url: "/.well-known/openid-configuration",
          answer: { issuer: "{url}", jwks_uri: "{url}/keys", introspection_endpoint: "{url}/introspect" },
        },
        { url: "/introspect", answer: active },
      ]);
    }
  };
  const asked = () => servers.map((server) => server.asked.filter(({ url }) => url === "/introspect").length);

  test("is shown to the one whose prefix it has, and to no other", async () => {
    await knowBoth(["one_", "two_"]);
    expect(await check("two_abc")).toBe("token");
    expect(asked()).toEqual([0, 1]);
    expect(await check("three_abc")).toMatch(/form/);
    expect(asked()).toEqual([0, 1]);
  });

  test("is shown to the one without a prefix when it has nobody's", async () => {
    await knowBoth(["one_", undefined]);
    expect(await check("abc")).toBe("token");
    expect(asked()).toEqual([0, 1]);
  });

  test("is shown to nobody when nothing tells whose it is, and the log says what to do", async () => {
    await knowBoth([undefined, undefined]);
    expect(await check("abc")).toMatch(/name one in the API, or give each a tokenPrefix/);
    expect(asked()).toEqual([0, 0]);
    expect(await check("abc", { keyManagers: ["far-1"] as never })).toBe("token");
    expect(asked()).toEqual([0, 1]);
  });

  test("is good when one server knows it and the other is away; left open when nobody who answers does", async () => {
    await knowBoth(["same_", "same_"]);
    servers[0].play([{ url: "/.well-known/openid-configuration", status: 500, answer: {} }]);
    expect(await check("same_abc")).toBe("token");
    servers[0].play([{ url: "/.well-known/openid-configuration", status: 500, answer: {} }]);
    servers[1].play([{ url: "/introspect", answer: { active: false } }]);
    tools.clock.advance(60_000);
    expect(await verifier.verify("same_def", demand, exchange, "bearer")).toMatchObject({ type: "unavailable" });
  });
});
