import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { requireAdminToken } from "../../src/control/admin-token.ts";

const hash = createHash("sha256").update("s3cret-token").digest();

test.each([
  { name: "the token", header: "Bearer s3cret-token" },
  { name: "the scheme in lower case", header: "bearer s3cret-token" },
])("lets $name pass", ({ header }) => {
  expect(() => requireAdminToken(header, hash)).not.toThrow();
});

test("every token that the configuration takes opens the control API", () => {
  const token = String.fromCharCode(...Array.from({ length: 0x7e - 0x21 + 1 }, (_, index) => 0x21 + index));
  const config = loadConfig({ env: { GATEHOUSE_ADMIN_TOKEN: token }, cwd: import.meta.dirname });
  expect(config.adminToken).toBe(token);
  expect(() => requireAdminToken(`Bearer ${token}`, createHash("sha256").update(token).digest())).not.toThrow();
});

test.each([
  { name: "no header", header: undefined, code: "auth.missing_credentials" },
  { name: "another token", header: "Bearer s3cret-tokem", code: "auth.invalid_credentials" },
  { name: "a prefix of the token", header: "Bearer s3cret", code: "auth.invalid_credentials" },
  { name: "the token and more", header: "Bearer s3cret-token s3cret-token", code: "auth.invalid_credentials" },
  { name: "the token without a scheme", header: "s3cret-token", code: "auth.invalid_credentials" },
  { name: "another scheme", header: "Basic s3cret-token", code: "auth.invalid_credentials" },
  { name: "a scheme that begins alike", header: "Bearers3cret-token", code: "auth.invalid_credentials" },
  { name: "an empty header", header: "", code: "auth.invalid_credentials" },
  { name: "a header beyond its limit", header: `Bearer ${"a".repeat(5_000)}`, code: "auth.invalid_credentials" },
])("refuses $name", ({ header, code }) => {
  expect(() => requireAdminToken(header, hash)).toThrow(expect.objectContaining({ code }));
});

test("an empty hash opens to nobody", () => {
  expect(() => requireAdminToken("Bearer s3cret-token", Buffer.alloc(0))).toThrow(
    expect.objectContaining({ code: "auth.invalid_credentials" }),
  );
});
