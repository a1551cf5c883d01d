import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createUser, deleteUser } from "../../../../src/core/users.ts";
import { password } from "../../../identity/resident/auth-kit.ts";
import { eventually } from "../../../kit/eventually.ts";
import { testActor } from "../../../kit/gatehouse.ts";
import type { ConsentKit } from "./consent-kit.ts";
import { linkIn, startConsentKit, used } from "./consent-kit.ts";

let kit: ConsentKit;
let token: string;

beforeAll(async () => {
  kit = await startConsentKit();
});

afterAll(() => kit[Symbol.asyncDispose]());

beforeEach(async () => {
  await kit.reset();
  token = await kit.tokenOf("ada");
});

const connect = async (): Promise<void> => {
  const page = await kit.consent("ada", linkIn(await kit.call(token)));
  expect(page.html).toContain("Connected");
};

const refreshes = (): readonly Record<string, string>[] =>
  kit.upstream.tokenRequests.filter((form) => form["grant_type"] === "refresh_token");

describe("a token that has ended", () => {
  test("is renewed once for many calls, with the resource, and each refresh token is used once", async () => {
    kit.upstream.behaviour.expiresIn = 0;
    await connect();
    const gate = Promise.withResolvers<void>();
    kit.upstream.behaviour.tokenGate = gate.promise;
    kit.upstream.behaviour.expiresIn = 3_600;
    const calls = Array.from({ length: 20 }, () => kit.call(token));
    await eventually("one renewal", () => refreshes().length === 1);
    gate.resolve();
    expect(await Promise.all(calls)).toMatchObject(calls.map(() => used));
    expect(refreshes()).toMatchObject([{ resource: kit.upstream.url }]);
    expect(kit.upstream.refreshTokens.size).toBe(1);
    expect(await kit.call(token)).toMatchObject(used);
    expect(refreshes()).toHaveLength(1);
  });

  test("that the upstream refuses before its time is renewed too, and the call goes through", async () => {
    await connect();
    await lateEnough();
    kit.upstream.tokens.clear();
    expect(await kit.call(token)).toMatchObject(used);
    expect(refreshes()).toHaveLength(1);
  });

  test("without a refresh token asks the person again", async () => {
    kit.upstream.behaviour.givesRefreshTokens = false;
    await connect();
    kit.upstream.tokens.clear();
    linkIn(await kit.call(token));
    await connect();
    expect(await kit.call(token)).toMatchObject(used);
  });

  test("whose refresh token is refused asks the person again, and says so in the list", async () => {
    kit.upstream.behaviour.expiresIn = 0;
    await connect();
    kit.upstream.behaviour.tokenError = "invalid_grant";
    linkIn(await kit.call(token));
    const list = await control("GET", "");
    expect(list).toMatchObject({ items: [{ api: "tools", holder: { type: "user", name: "ada" }, state: "lapsed" }] });
    expect(JSON.stringify(list)).not.toContain("upstream-");
  });

  test("is not lost while the authorization server is away: the call fails, and a later one works", async () => {
    kit.upstream.behaviour.expiresIn = 0;
    await connect();
    kit.upstream.behaviour.tokenError = "temporarily_unavailable";
    expect((await kit.call(token)).error?.data).toMatchObject({ code: "upstream.unavailable" });
    kit.upstream.behaviour.tokenError = undefined;
    kit.upstream.behaviour.expiresIn = 3_600;
    expect(await kit.call(token)).toMatchObject(used);
  });
});

describe("more scopes", () => {
  test("are asked for with those from before, and no third time where they did not help", async () => {
    await connect();
    kit.upstream.behaviour.needs = ["tools:write"];
    await kit.consent("ada", linkIn(await kit.call(token)));
    expect(kit.upstream.authorizations.map((query) => query.get("scope"))).toEqual([
      "tools:read",
      "tools:read tools:write",
    ]);
    expect(await kit.call(token)).toMatchObject(used);
    for (const scopes of kit.upstream.tokens.values()) scopes.splice(0);
    const last = await kit.call(token);
    expect(last.error?.data).toMatchObject({ code: "auth.forbidden" });
    expect(JSON.stringify(last)).not.toContain("/auth/connect");
  });
});

describe("what was taken away", () => {
  test("is gone at the gateway with the next call, by the person's own hand or an admin's", async () => {
    await connect();
    const { items } = (await control("GET", "")) as { items: { id: string }[] };
    await control("DELETE", `/${items[0]?.id}`);
    linkIn(await kit.call(token));
    expect(await control("GET", "")).toEqual({ items: [] });
  });

  test("goes with the person", async () => {
    await connect();
    const { context } = kit.at.gatehouse.running;
    await createUser(context, testActor, { metadata: { name: "eve" }, spec: {}, password });
    const eve = await kit.tokenOf("eve");
    await kit.consent("eve", linkIn(await kit.call(eve)));
    expect(await control("GET", "")).toMatchObject({ items: [{}, {}] });
    await deleteUser(context, testActor, "eve", 1);
    expect(await control("GET", "")).toMatchObject({ items: [{ holder: { name: "ada" } }] });
  });
});

async function control(method: string, path: string): Promise<unknown> {
  const { controlUrl, adminToken } = kit.at.gatehouse.running;
  const headers = { authorization: `Bearer ${adminToken}` };
  const answer = await fetch(`${controlUrl}/api/v1/upstream-credentials${path}`, { method, headers });
  return answer.status === 204 ? undefined : answer.json();
}

/** A token that is refused within seconds of its making is no stale one; this one was made a while ago. */
async function lateEnough(): Promise<void> {
  const { catalog } = kit.at.gatehouse.running.context;
  const row = (await catalog.read.upstreamCredentials.list({}, { limit: 1, cursor: undefined })).rows[0];
  if (row === undefined) throw new Error("no credential");
  const updatedAtMs = row.updatedAtMs - 60_000;
  await catalog.transaction((tx) => tx.upstreamCredentials.update({ ...row, updatedAtMs }, row.version));
}
