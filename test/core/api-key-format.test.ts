import { createSecretKey } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hashApiKey, makeApiKey, maskApiKey, parseApiKey } from "../../src/core/api-key-format.ts";

describe("a new key", () => {
  test("has the documented form: prefix, public id, 32 random bytes and a checksum", () => {
    const { key, publicId } = makeApiKey();
    expect(key).toMatch(/^gh_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}$/);
    expect(key.slice(3, 19)).toBe(publicId);
  });

  test("is read back as its public id, and no two are alike", () => {
    const keys = Array.from({ length: 500 }, () => makeApiKey());
    expect(keys.map(({ key }) => parseApiKey(key))).toEqual(keys.map(({ publicId }) => publicId));
    expect(new Set(keys.map(({ publicId }) => publicId)).size).toBe(500);
    expect(new Set(keys.map(({ key }) => key.slice(20, 63))).size).toBe(500);
  });

  test("never holds a secret part above 256 bits", () => {
    const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for (let count = 0; count < 200; count += 1) {
      const secret = makeApiKey().key.slice(20, 63);
      const value = Array.from(secret).reduce((sum, digit) => sum * 62n + BigInt(alphabet.indexOf(digit)), 0n);
      expect(value < 2n ** 256n).toBe(true);
    }
  });
});

test("a key given out earlier stays readable: the format does not drift", () => {
  // Its checksum was worked out by another program.
  expect(parseApiKey("gh_AbCdEfGhIjKlMnOp_77777777777777777777777777777777777777777774UMCmm")).toBe("AbCdEfGhIjKlMnOp");
});

describe("a text that is not a key", () => {
  const unchecked = "gh_0000000000000000_0000000000000000000000000000000000000000000";

  test("is refused when any one character was changed", () => {
    const { key } = makeApiKey();
    fc.assert(
      fc.property(
        fc.nat(key.length - 1),
        fc.constantFrom("0", "9", "A", "Z", "a", "z", "_", "-", ".", " "),
        (at, character) => {
          const changed = key.slice(0, at) + character + key.slice(at + 1);
          expect(parseApiKey(changed) === undefined || changed === key).toBe(true);
        },
      ),
    );
  });

  test.each([
    { name: "refuses an empty text", text: "" },
    { name: "refuses a key without its checksum", text: unchecked },
    { name: "refuses a wrong checksum", text: `${unchecked}000000` },
    { name: "refuses a line break behind a key", text: `${makeApiKey().key}\n` },
    { name: "refuses white space before a key", text: ` ${makeApiKey().key}` },
    { name: "refuses another prefix", text: makeApiKey().key.replace("gh_", "sk_") },
    { name: "refuses two keys joined by a comma", text: `${makeApiKey().key}, ${makeApiKey().key}` },
  ])("$name", ({ text }) => {
    expect(parseApiKey(text)).toBeUndefined();
  });

  test("never makes the reader throw", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary-ascii" }), fc.constant("\ud800")), (text) => {
        expect(parseApiKey(text)).toBeUndefined();
      }),
    );
  });
});

test("the stored hash is 32 bytes, of the whole key, and of the pepper", () => {
  const pepper = createSecretKey(Buffer.alloc(32, 1));
  const { key } = makeApiKey();
  const hash = hashApiKey(pepper, key);
  expect(hash).toHaveLength(32);
  expect(hashApiKey(pepper, key)).toEqual(hash);
  expect(hashApiKey(createSecretKey(Buffer.alloc(32, 2)), key)).not.toEqual(hash);
  expect(hashApiKey(pepper, `${key.slice(0, -1)}!`)).not.toEqual(hash);
});

test("the mask shows four characters of the public id and none of the secret", () => {
  expect(maskApiKey("AbCdEfGhIjKlMnOp")).toBe("gh_AbCd…");
});
