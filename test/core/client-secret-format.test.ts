import { createSecretKey } from "node:crypto";
import { expect, test } from "vitest";
import { hashApiKey, parseApiKey } from "../../src/core/api-key-format.ts";
import {
  hashClientSecret,
  makeClientSecret,
  maskClientSecret,
  parseClientSecret,
} from "../../src/core/client-secret-format.ts";

const pepper = { id: "p1", key: createSecretKey(Buffer.alloc(32, 3)) };

test("a client secret tells its public id, and no API key is one", () => {
  const { secretValue, publicId } = makeClientSecret();
  expect(secretValue).toMatch(/^ghs_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}$/);
  expect(parseClientSecret(secretValue)).toBe(publicId);
  expect(parseApiKey(secretValue)).toBeUndefined();
  expect(maskClientSecret(publicId)).toBe(`ghs_${publicId.slice(0, 4)}…`);
});

test("one wrong character is noticed before anything is looked up", () => {
  const { secretValue } = makeClientSecret();
  const last = secretValue.at(-1) === "a" ? "b" : "a";
  expect(parseClientSecret(secretValue.slice(0, -1) + last)).toBeUndefined();
  expect(parseClientSecret(secretValue.replace("ghs_", "gh_"))).toBeUndefined();
  expect(parseClientSecret("")).toBeUndefined();
});

test("the hash of a secret is not the hash of the same text as an API key", () => {
  const { secretValue } = makeClientSecret();
  expect(hashClientSecret(pepper, secretValue)).not.toEqual(hashApiKey(pepper.key, secretValue));
  expect(hashClientSecret(pepper, secretValue)).toEqual(hashClientSecret(pepper, secretValue));
});
