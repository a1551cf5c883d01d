import { generateKeyPairSync } from "node:crypto";
import { jwtVerify } from "jose";
import { expect, test } from "vitest";
import type { PluginTools } from "../../../src/pipeline/plugin.ts";
import { googleToken } from "../../../src/routing/providers/google-token.ts";
import { manualClock } from "../../kit/manual-clock.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
const uri = "https://oauth2.googleapis.com/token";
const account = JSON.stringify({
  client_email: "a@example.com",
  private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
  private_key_id: "k1",
});

function setUp() {
  const clock = manualClock();
  const bodies: URLSearchParams[] = [];
  const state = { status: 200 };
  const fetch: PluginTools["fetch"] = (url, { body }) => {
    expect(String(url)).toBe(uri);
    bodies.push(new URLSearchParams(String(body)));
    const text = JSON.stringify({ access_token: `t${bodies.length}`, expires_in: 3_600 });
    return Promise.resolve({
      url: uri,
      status: state.status,
      headers: {},
      body: Buffer.from(text),
      text: () => text,
      json: () => JSON.parse(text) as unknown,
    });
  };
  return { clock, bodies, state, read: googleToken({ clock, fetch }) };
}

test("the assertion is signed by the account for Google's token endpoint, and good for an hour", async () => {
  const { read, bodies, clock } = setUp();
  expect(await read(account)).toBe("t1");
  expect(bodies[0]?.get("grant_type")).toBe("urn:ietf:params:oauth:grant-type:jwt-bearer");
  const { payload, protectedHeader } = await jwtVerify(bodies[0]?.get("assertion") ?? "", publicKey, {
    audience: uri,
    issuer: "a@example.com",
    currentDate: new Date(clock.now()),
  });
  expect(protectedHeader).toMatchObject({ alg: "RS256", kid: "k1" });
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(3_600);
});

test("a token is made once for calls that wait together, kept, and made anew before it expires", async () => {
  const { read, bodies, clock } = setUp();
  expect(await Promise.all([read(account), read(account)])).toEqual(["t1", "t1"]);
  clock.advance(3_299_000);
  expect(read(account)).toBe("t1");
  clock.advance(2_000);
  expect(await read(account)).toBe("t2");
  expect(bodies).toHaveLength(2);
});

test("while a new one is not to be had the old one serves until it expires, and not longer", async () => {
  const { read, state, clock } = setUp();
  await read(account);
  state.status = 503;
  clock.advance(3_400_000);
  expect(await read(account)).toBe("t1");
  clock.advance(200_000);
  await expect(read(account)).rejects.toMatchObject({ code: "upstream.credentials" });
});

test("another key is used at once", async () => {
  const { read } = setUp();
  await read(account);
  expect(await read(account.replace("k1", "k2"))).toBe("t2");
});

test.each([
  { name: "no JSON", text: "secret-words" },
  { name: "another document", text: '{"type":"secret-words"}' },
  { name: "a broken key", text: '{"client_email":"a","private_key":"secret-words"}' },
])("$name is refused, and not a word of it is told", async ({ text }) => {
  const error: unknown = await Promise.resolve(setUp().read(text)).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "upstream.credentials" });
  expect(String((error as Error).stack)).not.toContain("secret-words");
});
