import { createSecretKey, randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SessionFacts } from "../../src/mcp/session-token.ts";
import { createSessionTokens } from "../../src/mcp/session-token.ts";

const secret = randomBytes(32);
const tokens = createSessionTokens(createSecretKey(secret));

function named(id: string, clientName?: string): SessionFacts {
  const rest = {
    mark: "m",
    beganAtMs: 1,
    clientVersion: "1",
    serverName: undefined,
    serverVersion: undefined,
    protocolVersion: "2025-11-25",
  };
  return { id, clientName, ...rest };
}

describe("a session token", () => {
  test("opens for its owner, at any gateway with the key", () => {
    const elsewhere = createSessionTokens(createSecretKey(secret));
    fc.assert(
      fc.property(
        fc.string({ maxLength: 200 }),
        fc.string(),
        fc.option(fc.string({ maxLength: 64 })),
        (id, owner, name) => {
          const session = named(`${id.toWellFormed()}x`, name?.toWellFormed());
          expect(elsewhere.read(tokens.issue(session, owner), owner)).toEqual(session);
        },
      ),
    );
  });

  test("is visible ASCII, and another one each time", () => {
    const issued = Array.from({ length: 200 }, () => tokens.issue(named("ünïcode"), "owner"));
    expect(new Set(issued).size).toBe(200);
    for (const token of issued) expect(token).toMatch(/^[\x21-\x7e]+$/);
  });

  test("opens for nobody else, with no other key, and not when a character is changed", () => {
    const token = tokens.issue(named("id", "agent"), "api/key_1");
    expect(tokens.read(token, "api/key_2")).toBeUndefined();
    expect(createSessionTokens(createSecretKey(randomBytes(32))).read(token, "api/key_1")).toBeUndefined();
    for (let at = 0; at < token.length; at += 1) {
      const changed = token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
      const opened = tokens.read(changed, "api/key_1");
      // The last character of base64 may hold bits that mean nothing.
      if (at < token.length - 1) expect([at, opened]).toEqual([at, undefined]);
    }
  });

  test("stays within what a header may hold, however long the names are, and the id comes back whole", () => {
    const long = "€".repeat(10_000);
    const facts = {
      mark: "m",
      beganAtMs: 1,
      clientVersion: long,
      serverName: long,
      serverVersion: long,
      protocolVersion: long,
    };
    const short = tokens.issue({ id: "id", clientName: long, ...facts }, "owner");
    expect(short.length).toBeLessThan(2_000);
    expect(tokens.read(short, "owner")).toMatchObject({ id: "id", clientName: "€".repeat(64) });
    const id = "i".repeat(4_000);
    const opened = tokens.read(tokens.issue({ id, clientName: long, ...facts }, "owner"), "owner");
    expect(opened).toMatchObject({ id, clientName: undefined });
  });

  test.each([
    { name: "empty", token: "" },
    { name: "only the prefix", token: "gs3." },
    { name: "too short", token: "gs3.AAAA" },
    { name: "very long", token: `gs3.${"A".repeat(100_000)}` },
    { name: "of another make", token: "0f2b7a1c-55aa-4be1-9d0e-1b2c3d4e5f60" },
  ])("that is $name opens nothing", ({ token }) => {
    expect(tokens.read(token, "owner")).toBeUndefined();
  });
});
