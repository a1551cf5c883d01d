import { expect, test } from "vitest";
import { audit, inWrite } from "../../src/core/write.ts";
import { GatewayError } from "../../src/kernel/errors.ts";
import { admin, auditActions, coreFixture, rejection } from "./core-fixture.ts";

const subject = { kind: "Team", id: "team_x", name: "x", teamId: "team_x" };

test("gateways hear of a write only after it was committed", async () => {
  await using core = await coreFixture();
  let heardInside = -1;
  await inWrite(core.context, admin, async (write) => {
    write.messages.push({ type: "secret.changed", name: "a" }, { type: "secret.changed", name: "b" });
    await audit(write, "api.published", subject);
    heardInside = core.messages.length;
  });
  expect(heardInside).toBe(0);
  expect(core.messages).toEqual([
    { type: "secret.changed", name: "a" },
    { type: "secret.changed", name: "b" },
  ]);
});

test("a write that fails leaves no audit row and is not heard of", async () => {
  await using core = await coreFixture();
  const before = await auditActions(core);
  await rejection(
    inWrite(core.context, admin, async (write) => {
      write.messages.push({ type: "secret.changed", name: "a" });
      await audit(write, "api.published", subject);
      throw new GatewayError("internal", "on purpose");
    }),
  );
  expect(await auditActions(core)).toEqual(before);
  expect(core.messages).toEqual([]);
});

test("an audit row says who did what to what, and when", async () => {
  await using core = await coreFixture();
  await inWrite(core.context, { type: "system", id: "quickstart" }, (write) =>
    audit(write, "api.published", subject, { version: 3 }),
  );
  const { rows } = await core.context.catalog.read.audit.list({ resourceId: "team_x" }, { limit: 10 });
  expect(rows).toEqual([
    {
      id: expect.stringMatching(/^aud_/),
      atMs: core.clock.now(),
      actor: "quickstart",
      action: "api.published",
      kind: "Team",
      resourceId: "team_x",
      resourceName: "x",
      teamId: "team_x",
      detail: { version: 3 },
      actorType: "system",
      clientAddress: null,
      requestId: null,
      seq: 4,
      previousHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    },
  ]);
});
