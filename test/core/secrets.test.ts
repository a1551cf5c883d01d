import { createSecretKey } from "node:crypto";
import { describe, expect, test } from "vitest";
import { deleteResource } from "../../src/core/resources.ts";
import { deleteSecret, listSecrets, putSecret, readSecret, secretView } from "../../src/core/secrets.ts";
import { admin, auditActions, coreFixture, create, kindOf, providerSpec, rejection } from "./core-fixture.ts";

const canary = "canary-5f1c";

describe("setting", () => {
  test("a secret seals its value, and it can be read for a call", async () => {
    await using core = await coreFixture();
    const row = await putSecret(core.context, admin, { name: "token", value: canary });
    expect(row.id).toMatch(/^sec_/);
    expect(await readSecret(core.context, "token")).toBe(canary);
    expect(core.messages).toEqual([{ type: "secret.changed", name: "token" }]);
  });

  test("it again keeps the id and counts the version up", async () => {
    await using core = await coreFixture();
    const first = await putSecret(core.context, admin, { name: "token", value: "old" });
    const second = await putSecret(core.context, admin, { name: "token", value: canary });
    expect(second).toMatchObject({ id: first.id, version: 2, createdAtMs: first.createdAtMs });
    expect(await readSecret(core.context, "token")).toBe(canary);
    expect((await auditActions(core)).slice(-2)).toEqual(["secret.created", "secret.updated"]);
  });

  test.each([
    { name: "an empty value", input: { name: "token", value: "" }, path: "value" },
    { name: "a name that no reference could hold", input: { name: "Token_1", value: "x" }, path: "name" },
    { name: "a team that is not there", input: { name: "token", value: "x", team: "none" }, path: "metadata.team" },
  ])("refuses $name", async ({ input, path }) => {
    await using core = await coreFixture();
    const error = await rejection(putSecret(core.context, admin, input));
    expect([error.code, error.issues[0]?.path]).toEqual(["resource.invalid", path]);
  });

  test("refuses to move a secret to another team, and keeps its team where none is said", async () => {
    await using core = await coreFixture();
    const payments = await create(core, "Team", "payments", {});
    await putSecret(core.context, admin, { name: "token", value: "x", team: "payments" });
    const moved = putSecret(core.context, admin, { name: "token", value: "y", team: "default" });
    expect((await rejection(moved)).issues[0]?.message).toBe("the team is fixed at creation");
    expect((await putSecret(core.context, admin, { name: "token", value: "z" })).teamId).toBe(payments.id);
  });
});

describe("reading", () => {
  test("a secret that is not there is not found", async () => {
    await using core = await coreFixture();
    expect((await rejection(readSecret(core.context, "none"))).code).toBe("resource.not_found");
  });

  test("a secret whose key is not in the keyring says which key, to the operator only", async () => {
    await using core = await coreFixture();
    const lost = { id: "vault-0", key: createSecretKey(Buffer.alloc(32, 9)) };
    const before = { ...core.context, vaultKeys: { ...core.context.vaultKeys, current: lost } };
    await putSecret(before, admin, { name: "token", value: canary });
    const error = await rejection(readSecret(core.context, "token"));
    expect(error.code).toBe("secret.undecryptable");
    expect(error.detail).toContain("vault-0");
    expect(error.message).not.toContain("vault-0");
  });

  test("a sealed value that was copied to another row does not open there", async () => {
    await using core = await coreFixture();
    const mine = await putSecret(core.context, admin, { name: "mine", value: canary });
    const other = await putSecret(core.context, admin, { name: "other", value: "x" });
    await core.context.catalog.transaction((transaction) =>
      transaction.secrets.put({ ...other, sealed: mine.sealed, version: 2 }),
    );
    expect((await rejection(readSecret(core.context, "other"))).code).toBe("secret.undecryptable");
  });
});

describe("deleting", () => {
  const spec = { ...providerSpec, with: { ...providerSpec.with, headers: [{ value: "Key ${secret:token}" }] } };

  test("what a spec refers to anywhere is refused, and says by whom and where", async () => {
    await using core = await coreFixture();
    await putSecret(core.context, admin, { name: "token", value: "x" });
    await create(core, "LlmProvider", "openai", spec);
    const error = await rejection(deleteSecret(core.context, admin, "token"));
    expect(error.code).toBe("resource.in_use");
    expect(error.issues).toEqual([{ path: "LlmProvider/openai: spec.with.headers[0].value", message: "refers to it" }]);
    await deleteResource(core.context, admin, kindOf("LlmProvider"), "openai", 1);
    await deleteSecret(core.context, admin, "token");
    expect((await rejection(readSecret(core.context, "token"))).code).toBe("resource.not_found");
  });

  test("lets go of its team, tells the gateways, and the name made again is another secret", async () => {
    await using core = await coreFixture();
    await create(core, "Team", "payments", {});
    const first = await putSecret(core.context, admin, { name: "token", value: "x", team: "payments" });
    core.messages.length = 0;
    await deleteSecret(core.context, admin, "token");
    expect(core.messages).toEqual([{ type: "secret.changed", name: "token" }]);
    await deleteResource(core.context, admin, kindOf("Team"), "payments", 1);
    expect((await putSecret(core.context, admin, { name: "token", value: "x" })).id).not.toBe(first.id);
  });
});

test("neither what is shown, nor the audit, nor a message holds a value, sealed or not", async () => {
  await using core = await coreFixture();
  const row = await putSecret(core.context, admin, { name: "token", value: canary });
  const { rows } = await listSecrets(core.context, { limit: 10 });
  const audit = await core.context.catalog.read.audit.list({}, { limit: 200 });
  const text = JSON.stringify([rows.map(secretView), audit, core.messages]);
  expect(text).toContain("token");
  for (const hidden of [canary, row.sealed.data, row.sealed.nonce]) expect(text).not.toContain(hidden);
});
