import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SigningKeys } from "../../src/identity/jwks-cache.ts";
import { createLocalKeys, createRemoteKeys } from "../../src/identity/jwks-cache.ts";
import type { TestKeyManagerTools } from "../kit/key-manager-tools.ts";
import { keyManagerTools } from "../kit/key-manager-tools.ts";
import type { ReplayServer } from "../kit/replay-server.ts";
import { startReplayServer } from "../kit/replay-server.ts";
import type { TokenIssuer } from "../kit/token-issuer.ts";
import { createTokenIssuer } from "../kit/token-issuer.ts";

const jose = () => import("jose");
const unknown = { alg: "ES256", kid: "made-up" };

let server: ReplayServer;
let tools: TestKeyManagerTools;
let issuer: TokenIssuer;
let keys: SigningKeys;

beforeEach(async () => {
  server = await startReplayServer();
  tools = keyManagerTools();
  issuer = await createTokenIssuer();
  const locate = async () => ({ url: `${server.url}/keys`, chosenBy: "operator" as const });
  keys = createRemoteKeys({ ...tools, name: "far", source: { type: "remote", maxAgeMs: 600_000, locate }, jose });
});

afterEach(async () => {
  keys[Symbol.dispose]();
  await tools[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const find = (kid: string) => keys.find({ alg: "ES256", kid }).then((found) => found.length);
const serve = (count = 1) => server.play(Array.from({ length: count }, () => ({ url: "/keys", answer: issuer.jwks })));
const settled = async () => {
  for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
};

describe("keys that are fetched", () => {
  test("are fetched once for any number of tokens at a time", async () => {
    serve(5);
    expect(await Promise.all(Array.from({ length: 20 }, () => find("key-1")))).toEqual(Array(20).fill(1));
    expect(server.asked.length).toBe(1);
  });

  test("go on when the server says that it has none", async () => {
    serve();
    await keys.warm();
    server.play(Array.from({ length: 3 }, () => ({ url: "/keys", answer: { keys: [] } })));
    tools.clock.advance(30_000);
    expect(await keys.find(unknown)).toEqual([]);
    expect(server.asked.length).toBeGreaterThan(0);
    expect([await find("key-1"), keys.epoch]).toEqual([1, 0]);
  });

  test("are fetched again at a key that is not among them, at most once in thirty seconds", async () => {
    serve(9);
    await keys.warm();
    for (let attempt = 0; attempt < 5; attempt += 1) expect(await keys.find(unknown)).toEqual([]);
    expect(server.asked.length).toBe(1); // they were only just fetched
    await issuer.rotate("key-2");
    serve(9);
    tools.clock.advance(30_000);
    expect(await find("key-2")).toBe(1);
    for (let attempt = 0; attempt < 5; attempt += 1) expect(await keys.find(unknown)).toEqual([]);
    expect(server.asked.length).toBe(1);
    tools.clock.advance(30_000);
    expect(await keys.find(unknown)).toEqual([]);
    expect(server.asked.length).toBe(2);
  });

  test("go on while the server is away", async () => {
    serve(1);
    await keys.warm();
    for (let hour = 0; hour < 3; hour += 1) {
      tools.clock.advance(3_600_000);
      await settled();
      expect(await find("key-1")).toBe(1);
      expect(await keys.find(unknown)).toEqual([]);
    }
    expect(tools.log.lines.filter(({ level }) => level === "warn").length).toBeGreaterThan(0);
  });

  test("are taken back when they have reached their age and are gone, and what they signed is checked anew", async () => {
    serve(1);
    await keys.warm();
    const before = keys.epoch;
    await issuer.rotate("key-2", true);
    serve(1);
    tools.clock.advance(600_000);
    await expect.poll(() => keys.epoch).toBe(before + 1);
    expect(await find("key-1")).toBe(0);
    expect(await find("key-2")).toBe(1);
  });

  test("that were never there leave it open whether a token is good", async () => {
    server.play([]);
    await expect(find("key-1")).rejects.toMatchObject({ code: "auth.unavailable" });
    serve(1);
    await expect(find("key-1")).rejects.toMatchObject({ code: "auth.unavailable" }); // tried only just now
    tools.clock.advance(1_000);
    expect(await find("key-1")).toBe(1);
  });

  test.each([
    ["no key set", { keys: "none" }],
    ["a list", []],
    ["too many keys", { keys: Array.from({ length: 101 }, () => ({ kty: "EC" })) }],
  ])("that are %s are none", async (_name, answer) => {
    server.play([{ url: "/keys", answer }]);
    await expect(find("key-1")).rejects.toMatchObject({ code: "auth.unavailable" });
  });

  test("beside which shared secrets stand are taken without those", async () => {
    const secret = { kty: "oct", k: "c2VjcmV0", kid: "shared", alg: "HS256" };
    server.play([{ url: "/keys", answer: { keys: [secret, ...issuer.jwks.keys] } }]);
    expect(await find("key-1")).toBe(1);
    expect(await keys.find({ alg: "HS256", kid: "shared" })).toEqual([]);
  });
});

test("a token that names no key may be of any key of its algorithm", async () => {
  await issuer.rotate("key-2");
  const local = createLocalKeys(issuer.jwks.keys, jose);
  expect(await local.find({ alg: "ES256" })).toHaveLength(2);
  expect(await local.find({ alg: "RS256" })).toHaveLength(0);
});
