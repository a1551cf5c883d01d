import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { findCaller } from "../../src/control/caller.ts";
import { coreFixture } from "../core/core-fixture.ts";

const hash = createHash("sha256").update("s3cret-token").digest();

async function callWith(authorization: string | undefined, adminTokenHash: Uint8Array) {
  await using core = await coreFixture();
  const origin = { requestId: "r1", clientAddress: "192.0.2.1" };
  return findCaller(core.context, adminTokenHash, { authorization, sessionSecret: undefined, origin });
}

test.each([
  { name: "the token", header: "Bearer s3cret-token" },
  { name: "the scheme in lower case", header: "bearer s3cret-token" },
])("lets $name pass", async ({ header }) => {
  expect(await callWith(header, hash)).toMatchObject({ actor: { type: "admin", id: "admin" }, user: undefined });
});

test("every token that the configuration takes opens the control API", async () => {
  const token = String.fromCharCode(...Array.from({ length: 0x7e - 0x21 + 1 }, (_, index) => 0x21 + index));
  const config = loadConfig({ env: { GATEHOUSE_ADMIN_TOKEN: token }, cwd: import.meta.dirname });
  expect(config.adminToken).toBe(token);
  const caller = await callWith(`Bearer ${token}`, createHash("sha256").update(token).digest());
  expect(caller.actor.type).toBe("admin");
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
])("refuses $name", async ({ header, code }) => {
  await expect(callWith(header, hash)).rejects.toMatchObject({ code });
});

test("an empty hash opens to nobody", async () => {
  const call = callWith("Bearer s3cret-token", Buffer.alloc(0));
  await expect(call).rejects.toMatchObject({ code: "auth.invalid_credentials" });
});
