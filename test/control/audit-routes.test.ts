import { expect, test } from "vitest";
import { z } from "zod";
import { auditEntrySchema } from "../../src/control/audit-entry.ts";
import { auditVerificationSchema } from "../../src/control/verify-audit-route.ts";
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

const entriesOf = (body: unknown) => z.object({ items: auditEntrySchema.array() }).parse(body).items;

async function withRows() {
  const plane = await openControlPlane();
  for (const name of ["gold", "silver"]) await plane.send("POST", "/api/v1/plans", { metadata: { name }, spec: {} });
  plane.clock.advance(60_000);
  await plane.send(
    "PUT",
    "/api/v1/plans/gold",
    { metadata: { name: "gold" }, spec: { description: "x" } },
    { "if-match": '"1"' },
  );
  await plane.send("PUT", "/api/v1/secrets/one", { value: "canary-4711" });
  return plane;
}

test.each([
  { query: "action=plan.created", names: ["gold", "silver"] },
  { query: "action=plan.*", names: ["gold", "silver", "gold"] },
  { query: "kind=Secret", names: ["one"] },
  { query: "resourceName=gold&kind=Plan", names: ["gold", "gold"] },
  { query: "from=2026-01-01T00:01:00Z", names: ["gold", "one"] },
  { query: "kind=Plan&to=2026-01-01T00:01:00Z", names: ["gold", "silver"] },
  { query: "actor=admin&order=latest", names: ["one", "gold", "silver", "gold"] },
  { query: "actor=nobody", names: [] },
  { query: "action=plan", names: [] },
  { query: "after=5&actor=admin&kind=Plan", names: ["gold"] },
])("is narrowed by $query", async ({ query, names }) => {
  await using plane = await withRows();
  const { body } = await plane.send("GET", `/api/v1/audit?${query}`);
  expect(entriesOf(body).map(({ resourceName }) => resourceName)).toEqual(names);
  const exported = await plane.send("GET", `/api/v1/audit/export?${query.replace("&order=latest", "")}`);
  expect(exported.text.split("\n").filter((line) => line !== "")).toHaveLength(names.length);
});

test.each(["from=yesterday", "after=-1", "order=random", "action=", "unknown=1", "cursor=x"])(
  "%s is refused",
  async (query) => {
    await using plane = await withRows();
    expect((await plane.send("GET", `/api/v1/audit?${query}`)).status).toBe(400);
  },
);

test("the latest first goes on over pages without a gap, also while rows are added", async () => {
  await using plane = await withRows();
  const first = await plane.send("GET", "/api/v1/audit?order=latest&limit=3");
  await plane.send("PUT", "/api/v1/secrets/two", { value: "x" });
  const rest = await plane.send("GET", `/api/v1/audit?order=latest&limit=200&cursor=${first.body.next}`);
  const seqs = [...entriesOf(first.body), ...entriesOf(rest.body)].map(({ seq }) => seq);
  expect(seqs).toEqual(seqs.toSorted((a, b) => b - a));
  expect(seqs.at(-1)).toBe(1);
  expect(new Set(seqs).size).toBe(seqs[0]);
});

test("the export is NDJSON over all pages, and holds no secret", async () => {
  await using plane = await openControlPlane();
  for (let index = 0; index < 210; index += 1)
    await plane.send("PUT", `/api/v1/secrets/s${index}`, { value: "canary-4711" });
  const { text, headers } = await plane.send("GET", "/api/v1/audit/export");
  expect(headers.get("content-type")).toBe("application/x-ndjson");
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => auditEntrySchema.parse(JSON.parse(line)));
  expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, index) => index + 1));
  expect(lines.length).toBeGreaterThan(210);
  expect(text).not.toContain("canary");
});

test("an update tells what differs, a row who asked in which request", async () => {
  await using plane = await withRows();
  const { body } = await plane.send("GET", "/api/v1/audit?action=plan.updated");
  const [entry] = entriesOf(body);
  expect(entry?.detail["changes"]).toEqual([{ path: "spec.description", after: '"x"' }]);
  expect(entry?.actorType).toBe("admin");
  expect(entry?.requestId).toMatch(/^[0-9a-f-]{36}$/);
});

test("verifying by pages comes to an end that says what is proved, and a checkpoint is held against it", async () => {
  await using plane = await withRows();
  const made = z.object({ checkpoint: z.string() }).parse((await plane.send("POST", "/api/v1/audit/checkpoint")).body);
  let cursor = "";
  let pages = 0;
  for (let more = true; more; pages += 1) {
    const { body } = await plane.send("GET", `/api/v1/audit/verify?limit=2&checkpoint=${made.checkpoint}${cursor}`);
    const page = auditVerificationSchema.parse(body);
    expect(page.findings).toEqual([]);
    more = page.next !== undefined;
    cursor = `&cursor=${page.next}`;
    if (!more)
      expect(page.guarantee).toMatchObject({ signed: { from: 1, began: "new" }, anchored: { seq: page.head.seq } });
  }
  expect(pages).toBeGreaterThan(2);
  expect((await plane.send("GET", "/api/v1/audit/verify?checkpoint=gac1")).status).toBe(400);
});
