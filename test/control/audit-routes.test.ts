import { expect, test } from "vitest";
import { auditEntrySchema } from "../../src/control/audit-entry.ts";
import { openControlPlane } from "./control-plane.ts";

test("every write has its entry, in order, of one resource or of all; a refused write has none", async () => {
  await using plane = await openControlPlane();
  const path = "/api/v1/plans";
  const gold = { metadata: { name: "gold" }, spec: {} };
  const { body: created } = await plane.send("POST", path, gold);
  plane.clock.advance(1_000);
  await plane.send("PUT", `${path}/gold`, { ...gold, spec: { description: "x" } }, { "if-match": '"1"' });
  await plane.send("PUT", `${path}/gold`, gold, { "if-match": '"1"' });
  await plane.send("POST", path, gold);
  await plane.send("DELETE", `${path}/gold`, undefined, { "if-match": '"2"' });

  const { body } = await plane.send("GET", `/api/v1/audit?resourceId=${created.metadata.id}`);
  const entries = auditEntrySchema.array().parse(body.items);
  expect(entries.map(({ action }) => action)).toEqual(["plan.created", "plan.updated", "plan.deleted"]);
  expect(entries[1]).toMatchObject({
    at: "2026-01-01T00:00:01.000Z",
    actor: "admin",
    kind: "Plan",
    resourceName: "gold",
    team: "default",
  });

  const all = await plane.send("GET", "/api/v1/audit?limit=2");
  expect(all.body.items).toHaveLength(2);
  const rest = await plane.send("GET", `/api/v1/audit?limit=200&cursor=${all.body.next}`);
  expect([...all.body.items, ...rest.body.items].slice(-3)).toEqual(body.items);
});
