import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { FieldIssue } from "../../src/kernel/errors.ts";
import { createChainCompiler } from "../../src/pipeline/compile-chain.ts";
import { defineGuardrail } from "../../src/pipeline/define-guardrail.ts";
import { definePolicy } from "../../src/pipeline/define-policy.ts";
import { createRegistry } from "../../src/pipeline/registry.ts";
import { buildTools } from "../kit/exchange.ts";

const plain = { title: "T", summary: "S", config: z.strictObject({}), examples: [{}], onError: "deny" as const };
let disposed = 0;

const registry = createRegistry({
  policies: [
    definePolicy({
      ...plain,
      id: "knows",
      compile: () => ({ identify: () => undefined, dispose: () => void (disposed += 1) }),
    }),
    definePolicy({ ...plain, id: "counts", compile: () => ({ admit: () => undefined }) }),
  ],
  guardrails: [
    defineGuardrail({
      ...plain,
      id: "asks-somebody",
      asksOnError: true,
      compile: () => ({ phases: ["request"], inspect: () => ({ type: "pass" }) }),
    }),
  ],
  providers: [],
  strategies: [],
  adapters: [],
});

function compile(spec: object) {
  const issues: FieldIssue[] = [];
  const compiler = createChainCompiler(registry, buildTools(), (issue) => issues.push(issue));
  const full = { with: {}, mode: "enforce" as const, ...spec } as Parameters<typeof compiler.attachments>[0][number]; // as parsed
  return { attachments: compiler.attachments([full], "llm_1", "spec.policies"), issues };
}

describe("a policy that finds out who calls", () => {
  test.each([
    ["mode", { mode: "monitor" }],
    ["on", { on: ["gpt-*"] }],
    ["when", { when: "true" }],
  ])("is refused with `%s`, which nobody could look at before the caller is known", (member, spec) => {
    const before = disposed;
    const { attachments, issues } = compile({ use: "knows", ...spec });
    expect(attachments).toEqual([]);
    expect(issues).toMatchObject([{ path: `spec.policies[0].${member}` }]);
    expect(issues[0]?.message).toContain("knows");
    expect(disposed).toBe(before + 1);
  });

  test("is taken without them", () => {
    expect(compile({ use: "knows" })).toMatchObject({ attachments: [{ use: "knows" }], issues: [] });
  });
});

test("any other policy may watch, and be for some operations only", () => {
  const { attachments, issues } = compile({ use: "counts", mode: "monitor", on: ["gpt-*"], when: "true" });
  expect([attachments.length, issues]).toEqual([1, []]);
});

test("a guardrail that asks somebody else is refused until its attachment says what happens when they fail", () => {
  const silent = compile({ use: "asks-somebody" });
  expect(silent.attachments).toEqual([]);
  expect(silent.issues).toMatchObject([{ path: "spec.policies[0].onError" }]);
  expect(compile({ use: "asks-somebody", onError: "continue" })).toMatchObject({
    attachments: [{ onError: "continue" }],
    issues: [],
  });
});
