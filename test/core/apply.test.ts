import { describe, expect, test } from "vitest";
import type { SourceDocument } from "../../src/core/apply.ts";
import { applyDocuments } from "../../src/core/apply.ts";
import type { Catalog } from "../../src/core/catalog.ts";
import { listRevisions } from "../../src/core/publishing.ts";
import { GatewayError } from "../../src/kernel/errors.ts";
import type { CoreFixture } from "./core-fixture.ts";
import {
  admin,
  auditActions,
  coreFixture,
  create,
  kindOf,
  llmApiSpec,
  providerSpec,
  rejection,
} from "./core-fixture.ts";

function document(kind: string, name: string, spec: object, line = 1, metadata: object = {}): SourceDocument {
  const value = { apiVersion: "gatehouse/v1", kind, metadata: { name, ...metadata }, spec };
  return { source: "all.yaml", line, value };
}

// In the wrong order on purpose: what is referred to comes last.
const all = [
  document("Subscription", "bot-chat", { application: "bot", api: { kind: "LlmApi", name: "chat" }, plan: "gold" }, 1),
  document("LlmApi", "chat", llmApiSpec("/chat"), 10, { team: "payments" }),
  document("Application", "bot", {}, 20),
  document("Plan", "gold", {}, 30),
  document("LlmProvider", "openai", providerSpec, 40),
  document("Team", "payments", {}, 50),
];

const publish = { dryRun: false, draft: false };

function apply(core: CoreFixture, documents: readonly SourceDocument[], options = publish) {
  return applyDocuments(core.context, admin, documents, options);
}

describe("applying", () => {
  test("creates all in the order of their references and publishes the APIs", async () => {
    await using core = await coreFixture();
    expect(await apply(core, all)).toEqual([
      { kind: "Team", name: "payments", change: "created" },
      { kind: "LlmProvider", name: "openai", change: "created" },
      { kind: "Plan", name: "gold", change: "created" },
      { kind: "Application", name: "bot", change: "created" },
      { kind: "LlmApi", name: "chat", change: "created", revision: 1, published: true },
      { kind: "Subscription", name: "bot-chat", change: "created" },
    ]);
    expect(core.messages.map(({ type }) => type)).toEqual(["artifacts", "subscription.put"]);
  });

  test("the same again changes nothing, writes nothing and sends nothing", async () => {
    await using core = await coreFixture();
    await apply(core, all);
    const audited = await auditActions(core);
    core.messages.length = 0;
    const again = await apply(core, all);
    expect(again.map(({ change }) => change)).toEqual(all.map(() => "unchanged"));
    expect(again.find(({ kind }) => kind === "LlmApi")).toMatchObject({ revision: 1, published: false });
    expect(await auditActions(core)).toEqual(audited);
    expect(core.messages).toEqual([]);
  });

  test("defaults that are written out, and another order of members, are no change", async () => {
    await using core = await coreFixture();
    await apply(core, [document("LlmProvider", "openai", { use: "openai-compatible" })]);
    const again = await apply(core, [document("LlmProvider", "openai", { with: {}, use: "openai-compatible" })]);
    expect(again).toEqual([{ kind: "LlmProvider", name: "openai", change: "unchanged" }]);
  });

  test("a changed spec, or changed labels, is a change; a changed API gets a revision", async () => {
    await using core = await coreFixture();
    await apply(core, all);
    const changed = await apply(core, [
      document("LlmApi", "chat", { ...llmApiSpec("/chat"), version: "2.0" }),
      document("Application", "bot", {}, 1, { labels: { tier: "gold" } }),
    ]);
    expect(changed).toEqual([
      { kind: "Application", name: "bot", change: "changed" },
      { kind: "LlmApi", name: "chat", change: "changed", revision: 2, published: true },
    ]);
  });

  test("drafts are left unpublished, and published by a later apply of the same", async () => {
    await using core = await coreFixture();
    const drafts = await apply(core, all, { dryRun: false, draft: true });
    expect(drafts.find(({ kind }) => kind === "LlmApi")).toEqual({ kind: "LlmApi", name: "chat", change: "created" });
    expect(await core.context.catalog.read.deployments.all()).toEqual([]);
    const later = await apply(core, all);
    expect(later.find(({ kind }) => kind === "LlmApi")).toMatchObject({ change: "unchanged", published: true });
  });

  test("a dry run reports the same and changes nothing", async () => {
    await using core = await coreFixture();
    const audited = await auditActions(core);
    const dry = await apply(core, all, { dryRun: true, draft: false });
    expect(await auditActions(core)).toEqual(audited);
    expect(core.messages).toEqual([]);
    expect(await core.context.catalog.read.resources.find("LlmApi", "chat")).toBeUndefined();
    expect(await apply(core, all)).toEqual(dry);
  });

  test("nothing at all applies nothing", async () => {
    await using core = await coreFixture();
    expect(await apply(core, [])).toEqual([]);
  });
});

describe("one bad document applies nothing", () => {
  async function refused(core: CoreFixture, documents: readonly SourceDocument[]) {
    const audited = await auditActions(core);
    const error = await rejection(apply(core, documents));
    expect(await auditActions(core)).toEqual(audited);
    expect(core.messages).toEqual([]);
    return error;
  }

  test("documents that do not parse are told all together, with file, line and field", async () => {
    await using core = await coreFixture();
    const lines: Readonly<Record<string, number>> = { "spec.context": 14, spec: 12 };
    const bad: SourceDocument = {
      ...document("LlmApi", "chat", { context: "chat" }, 10),
      lineOf: (path) => lines[path],
    };
    const error = await refused(core, [
      ...all,
      bad,
      document("Nothing", "x", {}, 60),
      document("Plan", "Bad!", {}, 70),
    ]);
    expect(error.code).toBe("resource.invalid");
    expect(error.issues.map(({ path }) => path)).toEqual([
      "all.yaml:14 spec.context",
      "all.yaml:12 spec.upstream",
      "all.yaml:60 kind",
      "all.yaml:70 metadata.name",
    ]);
    expect(error.message).toContain("all.yaml:14 spec.context");
  });

  test("a name that is referred to and not there is told at the document", async () => {
    await using core = await coreFixture();
    const bad = document("LlmApi", "second", llmApiSpec("/second", "nobody"), 80);
    const error = await refused(core, [...all, bad]);
    expect(error.issues).toEqual([
      {
        path: "all.yaml:80 spec.upstream.production.targets[0].provider",
        message: "there is no LlmProvider named nobody",
      },
    ]);
    expect(error.message).toContain("all.yaml:80");
  });

  test("a context that is taken is told at the document", async () => {
    await using core = await coreFixture();
    const error = await refused(core, [...all, document("LlmApi", "second", llmApiSpec("/chat"), 90)]);
    expect([error.code, error.issues[0]?.path]).toEqual(["publish.refused", "all.yaml:90 spec.context"]);
  });

  test("what does not compile is told at the document that it stands in", async () => {
    await using core = await coreFixture();
    core.compile = () => [
      { path: "Plan/gold: spec.policies[0].use", message: "unknown" },
      { path: "Plan/elsewhere: spec.policies[0].use", message: "unknown too" },
    ];
    const error = await refused(core, all);
    expect(error.issues.map(({ path }) => path)).toEqual([
      "all.yaml:30 spec.policies[0].use",
      "Plan/elsewhere: spec.policies[0].use",
    ]);
  });

  test("the same resource twice is told at the second", async () => {
    await using core = await coreFixture();
    const error = await refused(core, [document("Plan", "gold", {}, 1), document("Plan", "gold", {}, 9)]);
    expect(error.issues).toEqual([
      { path: "all.yaml:9 metadata.name", message: "Plan/gold stands at all.yaml:1 already" },
    ]);
  });

  test("another team than the resource has is told, and not moved to", async () => {
    await using core = await coreFixture();
    await apply(core, all);
    core.messages.length = 0;
    const error = await refused(core, [document("Application", "bot", {}, 5, { team: "payments" })]);
    expect(error.issues[0]).toEqual({ path: "all.yaml:5 metadata.team", message: "the team is fixed at creation" });
  });

  test.each([
    { kind: "ApiKey", command: "gatehouse keys generate" },
    { kind: "Secret", command: "gatehouse secrets set" },
  ])("a document of kind $kind is refused with the command to use instead", async ({ kind, command }) => {
    await using core = await coreFixture();
    const error = await refused(core, [document(kind, "x", { value: "canary" })]);
    expect(error.issues[0]?.message).toContain(command);
    expect(JSON.stringify([error.message, error.issues])).not.toContain("canary");
  });

  test.each([
    { name: "a text", value: "kind: Team" },
    { name: "nothing", value: null },
    { name: "a list", value: [] },
    { name: "no version", value: { kind: "Team", metadata: { name: "x" }, spec: {} } },
    { name: "a kind that objects have by nature", value: { apiVersion: "gatehouse/v1", kind: "constructor" } },
  ])("a document that is $name is refused at its line", async ({ value }) => {
    await using core = await coreFixture();
    const error = await refused(core, [{ source: "odd.yaml", line: 3, value }]);
    expect(error.issues[0]?.path).toMatch(/^odd\.yaml:3/);
  });
});

test("an apply keeps revisions that the REST API made", async () => {
  await using core = await coreFixture();
  await create(core, "LlmProvider", "openai", providerSpec);
  await create(core, "LlmApi", "chat", llmApiSpec("/chat"));
  await apply(core, [document("LlmApi", "chat", llmApiSpec("/chat"))]);
  const { rows } = await listRevisions(core.context, kindOf("LlmApi"), "chat", { limit: 10 });
  expect(rows.map(({ number, createdBy }) => [number, createdBy])).toEqual([[1, "admin"]]);
});

test("a fault of the store is told as such, and not blamed on a document", async () => {
  await using core = await coreFixture();
  const { catalog } = core.context;
  const full = () => Promise.reject(new GatewayError("store.unavailable", "The disk is full."));
  const broken: Catalog = {
    ...catalog,
    transaction: (work) =>
      catalog.transaction((transaction) =>
        work({ ...transaction, resources: { ...transaction.resources, insert: full } }),
      ),
  };
  const error = await rejection(applyDocuments({ ...core.context, catalog: broken }, admin, all, publish));
  expect([error.code, error.message, error.issues]).toEqual(["store.unavailable", "The disk is full.", []]);
});
