import { describe, expect, test } from "vitest";
import { findKind } from "../../src/core/kinds.ts";
import { fieldPath, parseDocument } from "../../src/core/parse-document.ts";
import { parseResourceDocument } from "../../src/core/resource-document.ts";
import { vaultKeyring } from "../../src/core/vault-keys.ts";
import { GatewayError } from "../../src/kernel/errors.ts";
import { kindOf, llmApiSpec } from "./core-fixture.ts";

function issuesOf(work: () => unknown): readonly string[] {
  try {
    work();
  } catch (error) {
    if (error instanceof GatewayError && error.code === "resource.invalid") return error.issues.map(({ path }) => path);
    throw error;
  }
  return [];
}

const parse = (input: unknown) =>
  parseResourceDocument({ vaultKeys: vaultKeyring("0".repeat(64)) }, kindOf("LlmApi"), input);

describe("a field at fault is named by its path", () => {
  const good = { metadata: { name: "chat" }, spec: llmApiSpec("/chat") };
  test.each([
    { name: "an unknown field at the top", input: { ...good, extra: 1 }, paths: ["extra"] },
    { name: "another kind", input: { ...good, kind: "RestApi" }, paths: ["kind"] },
    { name: "another version of the format", input: { ...good, apiVersion: "gatehouse/v2" }, paths: ["apiVersion"] },
    { name: "no metadata", input: { spec: good.spec }, paths: ["metadata"] },
    { name: "a bad name", input: { ...good, metadata: { name: "Chat!" } }, paths: ["metadata.name"] },
    { name: "a reserved context", input: { ...good, spec: llmApiSpec("/auth/x") }, paths: ["spec.context"] },
    {
      name: "each of two unknown fields",
      input: { ...good, spec: { ...good.spec, one: 1, two: 2 } },
      paths: ["spec.one", "spec.two"],
    },
    {
      name: "a field inside the alternative of a union that was meant",
      input: {
        ...good,
        spec: {
          context: "/chat",
          upstream: { production: { targets: [{ provider: "openai" }] }, sandbox: { targets: [{ provider: "No!" }] } },
        },
      },
      paths: ["spec.upstream.sandbox.targets[0].provider"],
    },
    {
      name: "every field inside the alternative that was meant, though it has more faults than the other",
      input: {
        ...good,
        spec: {
          ...good.spec,
          upstream: {
            ...good.spec.upstream,
            sandbox: { targets: [{ provider: 5, weight: "x", model: 7 }] },
          },
        },
      },
      paths: [
        "spec.upstream.sandbox.targets[0].provider",
        "spec.upstream.sandbox.targets[0].model",
        "spec.upstream.sandbox.targets[0].weight",
      ],
    },
    {
      name: "only the field of the wrong type, where the other alternative has more faults at the same depth",
      input: {
        ...good,
        spec: { ...good.spec, upstream: { ...good.spec.upstream, sandbox: { targets: "openai" } } },
      },
      paths: ["spec.upstream.sandbox.targets"],
    },
    {
      name: "a wrong word in the other alternative",
      input: {
        ...good,
        spec: { ...good.spec, upstream: { ...good.spec.upstream, sandbox: { sameAs: "prod" } } },
      },
      paths: ["spec.upstream.sandbox.sameAs"],
    },
    {
      name: "an absent sandbox",
      input: { ...good, spec: { context: "/chat", upstream: { production: good.spec.upstream.production } } },
      paths: ["spec.upstream.sandbox"],
    },
    { name: "not an object at all", input: "chat", paths: [""] },
    { name: "null", input: null, paths: [""] },
  ])("$name", ({ input, paths }) => {
    expect(issuesOf(() => parse(input))).toEqual(paths);
  });
});

test("what a reader was shown beside the document may come back, and is not looked at", () => {
  const shown = { id: "llm_x", version: 9, createdAt: "2026-01-01T00:00:00Z", updatedAt: "2026-01-01T00:00:00Z" };
  const document = parse({
    apiVersion: "gatehouse/v1",
    kind: "LlmApi",
    metadata: { name: "chat", team: "default", ...shown },
    spec: llmApiSpec("/chat"),
    status: { deployed: null },
  });
  expect(document).toMatchObject({ name: "chat", team: "default", labels: {} });
});

test("no message repeats a value, which may be a secret in the wrong place", () => {
  const input = { metadata: { name: "chat", labels: { a: 7 } }, spec: { ...llmApiSpec("canary-value!"), version: {} } };
  try {
    parse(input);
  } catch (error) {
    expect(JSON.stringify(error instanceof GatewayError ? [error.message, error.issues] : "")).not.toContain("canary");
    return;
  }
  expect.unreachable();
});

test("nesting without end and cycles are refused, without a stack to overflow", () => {
  const deep = JSON.parse(`${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}`) as unknown; // JSON is unknown by nature
  const cycle: { self?: unknown; also?: unknown } = {};
  cycle.self = cycle;
  cycle.also = cycle;
  const schema = findKind("Plan")?.spec;
  if (schema === undefined) return expect.unreachable();
  expect(issuesOf(() => parseDocument(schema, deep))).toEqual([""]);
  expect(issuesOf(() => parseDocument(schema, cycle))).toEqual([""]);
});

test("a path is dotted, with indexes in brackets", () => {
  expect(fieldPath(["spec", "targets", 0, "provider"])).toBe("spec.targets[0].provider");
  expect(fieldPath([0, "kind"])).toBe("[0].kind");
});
