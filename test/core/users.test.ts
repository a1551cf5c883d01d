import { describe, expect, test } from "vitest";
import { createLoginGate } from "../../src/core/login-gate.ts";
import { userView } from "../../src/core/user-spec.ts";
import { createUser, deleteUser, replaceUser, setPassword, verifyPassword } from "../../src/core/users.ts";
import type { CoreFixture } from "./core-fixture.ts";
import { admin, auditActions, coreFixture, rejection } from "./core-fixture.ts";

const password = "correct horse battery";
const alice = { metadata: { name: "alice" }, spec: { displayName: "Alice" }, password };

describe("a password", () => {
  test("lets its user in, and nothing else does", async () => {
    await using core = await coreFixture();
    const user = await createUser(core.context, admin, alice);
    await createUser(core.context, admin, { metadata: { name: "bob" } });
    expect(await verifyPassword(core.context, "alice", password)).toEqual(user);
    expect(await verifyPassword(core.context, "alice", "correct horse battery ")).toBeUndefined();
    expect(await verifyPassword(core.context, "bob", "")).toBeUndefined();
    expect(await verifyPassword(core.context, "carol", password)).toBeUndefined();
  });

  test("that was set takes the place of the one before", async () => {
    await using core = await coreFixture();
    await createUser(core.context, admin, alice);
    await setPassword(core.context, admin, "alice", { password: "another long one" });
    expect(await verifyPassword(core.context, "alice", password)).toBeUndefined();
    expect(await verifyPassword(core.context, "alice", "another long one")).toBeDefined();
  });

  test("is nowhere in what is shown, stored or audited", async () => {
    await using core = await coreFixture();
    const row = await createUser(core.context, admin, alice);
    const audit = await core.context.catalog.read.audit.list({}, { limit: 100 });
    expect(JSON.stringify([row, audit])).not.toContain("horse");
    expect(JSON.stringify(userView(row, new Map()))).not.toContain("scrypt");
  });

  test("is guessed at a few times only, for a name that there is not as for one that there is", async () => {
    await using core = await coreFixture();
    await createUser(core.context, admin, alice);
    const context = { ...core.context, loginGate: createLoginGate(core.clock) };
    for (const name of ["alice", "nobody"]) {
      for (let failed = 0; failed < 5; failed += 1) await verifyPassword(context, name, "wrong");
      expect((await rejection(verifyPassword(context, name, password))).code).toBe("limit.exceeded");
    }
  });
});

describe("a user who is disabled or deleted", () => {
  test.each([
    {
      name: "disabled",
      work: ({ context }: CoreFixture) => replaceUser(context, admin, "alice", { spec: { disabled: true } }, 1),
    },
    { name: "deleted", work: ({ context }: CoreFixture) => deleteUser(context, admin, "alice", 1) },
  ])("$name: is let in no more, and every token is dead", async ({ work }) => {
    await using core = await coreFixture();
    const { id } = await createUser(core.context, admin, alice);
    core.messages.length = 0;
    await work(core);
    expect(await verifyPassword(core.context, "alice", password)).toBeUndefined();
    expect(core.messages).toMatchObject([
      { type: "revocation.put", record: { type: "subject", id, beforeMs: core.clock.now() + 1 } },
    ]);
  });

  test("a change that leaves somebody disabled tells the gateways nothing again", async () => {
    await using core = await coreFixture();
    await createUser(core.context, admin, { ...alice, spec: { disabled: true } });
    core.messages.length = 0;
    await replaceUser(core.context, admin, "alice", { spec: { disabled: true, email: "a@example.com" } }, 1);
    expect(core.messages).toEqual([]);
    expect(await auditActions(core)).toEqual(expect.arrayContaining(["user.created", "user.updated"]));
  });
});

describe("a user is refused", () => {
  test.each([
    { name: "with a short password", input: { ...alice, password: "short" }, path: "password" },
    { name: "with a password without end", input: { ...alice, password: "x".repeat(513) }, path: "password" },
    { name: "with a name of two words", input: { metadata: { name: "alice b" } }, path: "metadata.name" },
    { name: "with no address for an e-mail", input: { ...alice, spec: { email: "alice" } }, path: "spec.email" },
    { name: "with a hash of their own", input: { ...alice, spec: { passwordHash: "x" } }, path: "spec.passwordHash" },
  ])("$name", async ({ input, path }) => {
    await using core = await coreFixture();
    const error = await rejection(createUser(core.context, admin, input));
    expect(error.code).toBe("resource.invalid");
    expect(error.issues.map((issue) => issue.path)).toEqual([path]);
  });

  test("with a name that is taken", async () => {
    await using core = await coreFixture();
    await createUser(core.context, admin, alice);
    expect((await rejection(createUser(core.context, admin, alice))).code).toBe("resource.conflict");
  });

  test("under another name, or at another version", async () => {
    await using core = await coreFixture();
    await createUser(core.context, admin, alice);
    const renamed = { metadata: { name: "al" }, spec: {} };
    expect((await rejection(replaceUser(core.context, admin, "alice", renamed, 1))).code).toBe("resource.invalid");
    expect((await rejection(replaceUser(core.context, admin, "alice", { spec: {} }, 2))).code).toBe("resource.changed");
    expect((await rejection(deleteUser(core.context, admin, "alice", 2))).code).toBe("resource.changed");
    expect((await rejection(setPassword(core.context, admin, "bob", { password }))).code).toBe("resource.not_found");
  });
});
