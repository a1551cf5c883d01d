import { expect, test } from "vitest";
import { ensureDefaults } from "../../src/core/bootstrap.ts";
import { getResource } from "../../src/core/resources.ts";
import { auditActions, coreFixture, kindOf } from "./core-fixture.ts";

test("the default team, gateway and key manager are made at the first start, audited as the system's doing", async () => {
  await using core = await coreFixture({ empty: true });
  await ensureDefaults(core.context);
  const team = await getResource(core.context, kindOf("Team"), "default");
  const gateway = await getResource(core.context, kindOf("Gateway"), "default");
  expect(team.teamId).toBe(team.id);
  expect(gateway.teamId).toBe(team.id);
  expect(await auditActions(core)).toEqual(["team.created", "gateway.created", "keymanager.created"]);
});

test("later starts change nothing", async () => {
  await using core = await coreFixture();
  const team = await getResource(core.context, kindOf("Team"), "default");
  await ensureDefaults(core.context);
  expect(await getResource(core.context, kindOf("Team"), "default")).toEqual(team);
  expect(await auditActions(core)).toHaveLength(3);
});
