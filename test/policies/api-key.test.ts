import { createSecretKey } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { describe, expect, test } from "vitest";
import { hashApiKey, makeApiKey } from "../../src/core/api-key-format.ts";
import type { CredentialRecord } from "../../src/core/plane-message.ts";
import { createCredentialIndex } from "../../src/identity/credential-index.ts";
import type { Exchange } from "../../src/pipeline/exchange.ts";
import { apiKey } from "../../src/policies/api-key/api-key.ts";
import { apiId, applicationId, buildExchange, buildTools, keyId, planId } from "../kit/exchange.ts";
import { textAdapter } from "../kit/text-adapter.ts";

const pepper = createSecretKey(Buffer.alloc(32, 7));
const { key, publicId } = makeApiKey();
const other = makeApiKey();

describe("a caller", () => {
  const carriers: readonly { readonly name: string; readonly headers: IncomingHttpHeaders }[] = [
    { name: "is known by the header", headers: { apikey: key } },
    { name: "is known by a bearer token", headers: { authorization: `Bearer ${key}` } },
    { name: "is known whatever the scheme's case and spaces", headers: { authorization: `bearer   ${key}` } },
    { name: "is known by the same key in both", headers: { apikey: key, authorization: `Bearer ${key}` } },
    { name: "is known by the header beside a basic login", headers: { apikey: key, authorization: "Basic eDp5" } },
  ];
  test.each(carriers)("$name", ({ headers }) => {
    expect(identify({ headers }).result).toMatchObject({ type: "principal", principal: { type: "api-key", keyId } });
  });

  test("is what the key's record says", () => {
    const { result } = identify({ record: { applicationId, environment: "sandbox" }, subscribed: true });
    expect(result).toEqual({
      type: "principal",
      principal: {
        type: "api-key",
        environment: "sandbox",
        keyId,
        applicationId,
        planId,
        subscription: "active",
        teamId: "team_1",
        labels: {},
        budgets: undefined,
        mayCall: undefined,
      },
    });
  });

  test("has no plan without a subscription, or without an application", () => {
    expect(identify({ record: { applicationId } }).result).toMatchObject({ principal: { planId: undefined } });
    expect(identify({ subscribed: true }).result).toMatchObject({ principal: { planId: undefined } });
  });

  test("may call what the key's globs allow and nothing else", () => {
    const { result } = identify({ record: { allow: ["gpt-4o*", "small"] } });
    const mayCall = result !== undefined && "principal" in result ? result.principal.mayCall : undefined;
    expect(["gpt-4o-mini", "small", "smaller", "o3"].map((name) => mayCall?.(name))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test("is noted as having used the key, but only when it was let in", () => {
    expect(identify({}).used).toEqual([{ keyId, atMs: Date.UTC(2026, 0, 1) }]);
    expect(identify({ record: { permittedIps: ["10.0.0.0/8"] } }).used).toEqual([]);
    expect(identify({ headers: { apikey: other.key } }).used).toEqual([]);
  });
});

describe("nothing is said of a request", () => {
  const silent: readonly { readonly name: string; readonly headers: IncomingHttpHeaders; readonly query?: string }[] = [
    { name: "without a credential", headers: {} },
    { name: "with another scheme", headers: { authorization: "Basic eDp5" } },
    { name: "with the key in the query string", headers: {}, query: `apikey=${key}` },
    { name: "with the key in another header", headers: { "x-api-key": key } },
    { name: "with a scheme that only begins alike", headers: { authorization: `BearerX ${key}` } },
  ];
  test.each(silent)("$name", (parts) => {
    expect(identify(parts).result).toBeUndefined();
  });
});

describe("401", () => {
  const tampered = `${key.slice(0, -1)}${key.endsWith("A") ? "B" : "A"}`;
  const refused: readonly { readonly name: string; readonly parts: Parts }[] = [
    { name: "for a key that nobody has", parts: { headers: { apikey: other.key } } },
    { name: "for a key with a letter changed", parts: { headers: { apikey: tampered } } },
    { name: "for the public id with another secret", parts: { record: { hash: hashOf(other.key) } } },
    { name: "for a key under another pepper", parts: { record: { pepperId: "gone" } } },
    { name: "for an empty header", parts: { headers: { apikey: "" } } },
    { name: "for an empty bearer token", parts: { headers: { authorization: "Bearer " } } },
    { name: "for a bearer token that is no key", parts: { headers: { authorization: "Bearer sk-123" } } },
    { name: "for the header sent twice", parts: { headers: { apikey: `${key}, ${key}` } } },
    { name: "for two different keys", parts: { headers: { apikey: key, authorization: `Bearer ${other.key}` } } },
    {
      name: "for an empty header beside a good token",
      parts: { headers: { apikey: "", authorization: `Bearer ${key}` } },
    },
    { name: "for a header as a list", parts: { headers: { apikey: [key] } } },
    { name: "at the millisecond of expiry", parts: { record: { expiresAtMs: Date.UTC(2026, 0, 1) } } },
  ];
  test.each(refused)("$name, and the caller is told no more", ({ parts }) => {
    const { result } = identify(parts);
    expect(result).toMatchObject({ code: "auth.invalid_credentials", message: "The API key is not valid." });
    expect(JSON.stringify(result)).not.toContain(key);
  });

  test("is not for a key that is good for a millisecond more", () => {
    expect(identify({ record: { expiresAtMs: Date.UTC(2026, 0, 1) + 1 } }).result).toMatchObject({ type: "principal" });
  });
});

describe("403", () => {
  const elsewhere = "llm_000000000000000000000099" as CredentialRecord["apiId"]; // another API's id
  const refused: readonly { readonly name: string; readonly parts: Parts; readonly detail: string }[] = [
    { name: "for a key of another API", parts: { record: { apiId: elsewhere } }, detail: "is bound to" },
    {
      name: "for a key of another API before its expiry is looked at",
      parts: { record: { apiId: elsewhere, expiresAtMs: 1 } },
      detail: "is bound to",
    },
    {
      name: "from an address that is not permitted",
      parts: { record: { permittedIps: ["10.0.0.0/8"] } },
      detail: "192.0.2.7",
    },
    {
      name: "from an unknown address",
      parts: { record: { permittedIps: ["0.0.0.0/0", "::/0"] }, clientIp: "" },
      detail: "from ",
    },
    {
      name: "where no entry of the list can be read",
      parts: { record: { permittedIps: ["192.0.2"] } },
      detail: "from ",
    },
    { name: "without a referrer", parts: { record: { permittedReferrers: ["*.gef.com/*"] } }, detail: "referrer" },
    {
      name: "from the right address with the wrong referrer",
      parts: {
        record: { permittedIps: ["192.0.2.0/24"], permittedReferrers: ["*.gef.com/*"] },
        headers: { apikey: key, referer: "https://gef.com.evil.example/" },
      },
      detail: "referrer",
    },
  ];
  test.each(refused)("$name, and the reason is in the log only", ({ parts, detail }) => {
    expect(identify(parts).result).toMatchObject({
      code: "auth.forbidden",
      message: "This API key may not be used for this request.",
      detail: expect.stringContaining(detail),
    });
  });

  test("is not for the permitted address and referrer", () => {
    const record = { permittedIps: ["192.0.2.0/24", "2001:db8::/32"], permittedReferrers: ["*.gef.com/*"] };
    const headers = { apikey: key, referer: "https://app.gef.com/chat" };
    for (const clientIp of ["192.0.2.7", "2001:db8::1"]) {
      expect(identify({ record, headers, clientIp }).result).toMatchObject({ type: "principal" });
    }
  });
});

test("a record that is put anew is judged by its new bounds", () => {
  const { exchange, index, identifyAgain } = identify({ record: { permittedIps: ["10.0.0.0/8"] } });
  expect(identifyAgain(exchange)).toMatchObject({ code: "auth.forbidden" });
  index.apply({ type: "credential.put", record: recordOf({ permittedIps: ["192.0.2.0/24"] }) });
  expect(identifyAgain(exchange)).toMatchObject({ type: "principal" });
});

test("the header's name is the API's own, in any case", () => {
  const { result } = identify({ header: "X-Api-Key", headers: { "x-api-key": key } });
  expect(result).toMatchObject({ type: "principal" });
});

describe("the header of the protocol's own clients", () => {
  const ofProtocol = { protocolHeader: "x-api-key" };

  test("carries the key where nothing else was sent", () => {
    expect(identify({ ...ofProtocol, headers: { "x-api-key": key } }).result).toMatchObject({ type: "principal" });
    expect(identify({ ...ofProtocol, headers: { "x-api-key": "sk-ant-1" } }).result).toMatchObject({ type: "deny" });
  });

  test.each([{ apikey: key }, { authorization: `Bearer ${key}` }])("is not looked at beside %o", (headers) => {
    const all = { ...headers, "x-api-key": "unused" };
    expect(identify({ ...ofProtocol, headers: all }).result).toMatchObject({ type: "principal" });
    const wrong = { apikey: other.key, "x-api-key": key };
    expect(identify({ ...ofProtocol, headers: wrong }).result).toMatchObject({ type: "deny" });
  });
});

test("the authorization header as the key's header means the bearer token", () => {
  const parts = { header: "Authorization", headers: { authorization: `Bearer ${key}` } };
  expect(identify(parts).result).toMatchObject({ type: "principal" });
});

interface Parts {
  readonly protocolHeader?: string;
  readonly header?: string;
  readonly headers?: IncomingHttpHeaders;
  readonly query?: string;
  readonly clientIp?: string;
  readonly record?: Partial<CredentialRecord>;
  readonly subscribed?: boolean;
}

function identify({
  protocolHeader,
  header = "apikey",
  headers = { apikey: key },
  query = "",
  clientIp = "192.0.2.7",
  record,
  subscribed,
}: Parts) {
  const tools = buildTools();
  const index = createCredentialIndex({ pepper, pepperId: "p1", clock: tools.clock, onUsed: () => undefined });
  const subscription = { id: "sub_1" as never, applicationId, apiId, planId, state: "active" as const }; // the subscription's own id is not looked at
  index.apply({ type: "credentials", records: [recordOf(record)], subscriptions: subscribed ? [subscription] : [] });
  const adapter = protocolHeader === undefined ? textAdapter : { ...textAdapter, keyHeader: protocolHeader };
  const inbound = { headers, query, clientIp };
  const exchange = buildExchange({ inbound, adapter, credentials: index, principal: undefined });
  const handlers = apiKey.compile({ header }, tools, { place: "test" });
  const identifyAgain = (of: Exchange) => {
    const result = handlers.identify?.(of);
    if (result instanceof Promise) throw new Error("a key is looked up without waiting");
    return result;
  };
  return { result: identifyAgain(exchange), used: index.flush(), exchange, index, identifyAgain };
}

function recordOf(parts: Partial<CredentialRecord> = {}): CredentialRecord {
  return {
    id: keyId,
    publicId,
    hash: hashOf(key),
    pepperId: "p1",
    apiId,
    applicationId: null,
    environment: "production",
    expiresAtMs: null,
    permittedIps: [],
    permittedReferrers: [],
    allow: null,
    teamId: "team_1",
    budgets: [],
    labels: {},
    ...parts,
  };
}

function hashOf(text: string): string {
  return hashApiKey(pepper, text).toString("hex");
}
