import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { boundOf } from "../../../src/identity/resident/state-bounds.ts";
import { sampleState } from "../../contract/sample-rows.ts";
import type { AuthGatehouse } from "./auth-kit.ts";
import { startAuthGatehouse } from "./auth-kit.ts";

const registration = { redirect_uris: ["http://127.0.0.1/cb"], token_endpoint_auth_method: "none" };
const redirectUri = "http://127.0.0.1/callback";

let at: AuthGatehouse;
let clientId: string;

beforeAll(async () => {
  at = await startAuthGatehouse({ trustedProxies: "127.0.0.1/32", "oauth.registeredClients": "25" });
  const native = { applicationType: "native", tokenEndpointAuthMethod: "none", grantTypes: ["authorization_code"] };
  ({ clientId } = await at.client({ ...native, redirectUris: [redirectUri] }));
});
afterAll(() => at[Symbol.asyncDispose]());

const register = async (path: string, ip: string): Promise<Response> => {
  const headers = { "content-type": "application/json", "x-forwarded-for": ip };
  return fetch(at.issuer + path, { method: "POST", headers, body: JSON.stringify(registration) });
};
const authorization = (extra: Record<string, string> = {}): URLSearchParams =>
  new URLSearchParams({
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: "code",
    code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    code_challenge_method: "S256",
    resource: at.chat,
    ...extra,
  });
const statuses = async (count: number, ask: (index: number) => Promise<Response>): Promise<number[]> => {
  const found: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const answer = await ask(index);
    await answer.arrayBuffer();
    found.push(answer.status);
  }
  return found;
};
const push = (extra: Record<string, string>, ip: string): Promise<Response> =>
  fetch(`${at.issuer}/par`, { method: "POST", headers: { "x-forwarded-for": ip }, body: authorization(extra) });

describe("registration", () => {
  test.each(["/REGISTER", "/Register", "/registeR"])(
    "answers under its own spelling only, and not at %s",
    async (path) => {
      expect((await register(path, "192.0.2.1")).status).toBe(404);
    },
  );

  test("counts all addresses of an IPv6 network as one", async () => {
    const got = await statuses(21, (index) => register("/register", `2001:db8:1:2::${index.toString(16)}`));
    expect(got).toEqual([...Array<number>(20).fill(201), 429]);
    expect((await register("/register", "2001:db8:1:2:ffff::1")).headers.get("retry-after")).toMatch(/^\d+$/);
  });

  test("ends when there are as many clients as there may be, wherever they come from", async () => {
    const got = await statuses(7, (index) => register("/register", `198.51.100.${index}`));
    expect(got).toEqual([201, 201, 201, 201, 201, 503, 503]);
  });
});

describe("an authorization request", () => {
  test("of an address that has made too many is refused, whichever endpoint it takes, and others go on", async () => {
    const headers = { "x-forwarded-for": "192.0.2.50" };
    const ask = (): Promise<Response> =>
      fetch(`${at.issuer}/authorize?${authorization().toString()}`, { redirect: "manual", headers });
    const got = await statuses(200, ask); // some come back while they run
    expect(new Set(got.slice(0, 120))).toEqual(new Set([303]));
    expect(got.filter((status) => status === 429).length).toBeGreaterThan(30);
    const pushed = await statuses(10, () => push({}, "192.0.2.50"));
    expect(pushed.filter((status) => status === 429).length).toBeGreaterThan(5);
    expect((await push({}, "192.0.2.51")).status).toBe(201);
  });

  test("longer than 8 KiB is refused, in the query and in the body", async () => {
    const state = "x".repeat(9_000);
    const url = `${at.issuer}/authorize?${authorization({ state }).toString()}`;
    const asked = await fetch(url, { redirect: "manual", headers: { "x-forwarded-for": "192.0.2.60" } });
    const pushed = await push({ state }, "192.0.2.60");
    expect([asked.status, pushed.status]).toEqual([413, 413]);
    expect(await pushed.json()).toMatchObject({ error: "invalid_request" });
  });

  test("whose body does not say how long it is is refused", async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { "content-type": "application/x-www-form-urlencoded", "transfer-encoding": "chunked" };
      const sent = httpRequest(`${at.issuer}/par`, { method: "POST", headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      sent.on("error", reject);
      sent.end(authorization().toString());
    });
    expect(status).toBe(411);
  });
});

test("a model that has as many rows as it may takes no new one, goes on with those there are, and has room again", async () => {
  const { catalog } = at.gatehouse.running.context;
  const bound = boundOf("Bounded", 2);
  const put = (idHash: string): Promise<void> =>
    catalog.transaction(async (transaction) => {
      await bound?.admit(transaction, idHash);
      await transaction.oauthState.put(sampleState({ model: "Bounded", idHash }));
    });
  await put("a");
  await put("b");
  await expect(put("c")).rejects.toMatchObject({ statusCode: 503 });
  await put("b");
  await catalog.transaction((transaction) => transaction.oauthState.delete("Bounded", "a"));
  await put("c");
  expect(await catalog.read.oauthState.count("Bounded", 10)).toBe(2);
});
