import { expect, test } from "vitest";
import { hashPassword, verifyPasswordHash } from "../../src/kernel/password-hash.ts";

test("a password is right for its own hash only, and two hashes of it differ", async () => {
  const [one, two] = await Promise.all([hashPassword("correct horse"), hashPassword("correct horse")]);
  expect(one).not.toBe(two);
  expect(one).toMatch(/^scrypt\$16384\$8\$5\$/);
  expect(one).not.toContain("correct");
  expect(await verifyPasswordHash(one, "correct horse")).toBe(true);
  expect(await verifyPasswordHash(two, "correct horse")).toBe(true);
  expect(await verifyPasswordHash(one, "correct horsf")).toBe(false);
});

test("composed and decomposed letters are one password", async () => {
  const stored = await hashPassword("Zu\u0308rich 2026!");
  expect(await verifyPasswordHash(stored, "Z\u00fcrich 2026!")).toBe(true);
});

test("a hash with other parameters is read with those", async () => {
  const cheaper = "scrypt$1024$8$1$AAAAAAAAAAAAAAAAAAAAAA$VvRcT1COTxGvHlPYXYNUT4DyCb8GsKdLRfTRLyCUJbc";
  expect(await verifyPasswordHash(cheaper, "not it")).toBe(false);
});

test.each([undefined, "", "scrypt$", "plain", "scrypt$16384$8$5$AAAA$AAAA"])(
  "nothing is the password of %j, not even after the same work",
  async (stored) => {
    expect(await verifyPasswordHash(stored, "")).toBe(false);
  },
);
