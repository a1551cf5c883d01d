import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import { mcpAuthorizationSchema } from "../../../src/core/mcp-authorization.ts";
import type {
  AuthorizationRequest,
  TargetType,
  Verdict,
} from "../../../src/mcp/authorization/compile-authorization.ts";
import { compileAuthorization } from "../../../src/mcp/authorization/compile-authorization.ts";
import type { Principal } from "../../../src/pipeline/exchange.ts";
import { applicationId, buildExchange, keyHolder } from "../../kit/exchange.ts";

type Spec = z.input<typeof mcpAuthorizationSchema>;

const holder = (parts: Partial<Principal> = {}): Principal => ({
  ...keyHolder,
  type: "token",
  scopes: ["read"],
  claims: { dept: "finance", groups: ["staff", "on-call"] },
  ...parts,
});

function rights(spec: Spec, principal: Principal | undefined = holder()) {
  return compileAuthorization(mcpAuthorizationSchema.parse(spec)).rightsOf(buildExchange({ principal }));
}

const call = (name: string, given: object = {}): AuthorizationRequest => ({
  method: "tools/call",
  type: "tool",
  names: [name],
  given: { ...given },
});

function typeOf(spec: Spec, request: AuthorizationRequest, principal?: Principal): Verdict["type"] {
  return rights(spec, principal).judge(request).type;
}

describe("each kind of demand", () => {
  const cases: readonly {
    readonly name: string;
    readonly rule: NonNullable<Spec["rules"]>[number];
    readonly good: Principal;
    readonly bad: Principal;
  }[] = [
    {
      name: "all scopes",
      rule: { scopes: ["a", "b"] },
      good: holder({ scopes: ["b", "a"] }),
      bad: holder({ scopes: ["a"] }),
    },
    { name: "any scope", rule: { anyScopes: ["a", "b"] }, good: holder({ scopes: ["b"] }), bad: holder() },
    {
      name: "a claim's value",
      rule: { claims: { dept: ["finance", "legal"] } },
      good: holder(),
      bad: holder({ claims: { dept: "it" } }),
    },
    {
      name: "a member of a claim's list",
      rule: { claims: { groups: "on-call" } },
      good: holder(),
      bad: holder({ claims: { groups: ["staff"] } }),
    },
    {
      name: "a claim that is an own member",
      rule: { claims: { constructor: "x" } },
      good: holder({ claims: { constructor: "x" } }),
      bad: holder(),
    },
    { name: "an application", rule: { applications: [applicationId] }, good: holder({ applicationId }), bad: holder() },
    {
      name: "the type of the key",
      rule: { keyTypes: ["sandbox"] },
      good: holder({ environment: "sandbox" }),
      bad: holder(),
    },
    {
      name: "a condition on the caller",
      rule: { when: "principal.claims.dept == 'finance'" },
      good: holder(),
      bad: holder({ claims: {} }),
    },
  ];

  test.each(cases)("$name decides in the list and at the call alike", ({ rule, good, bad }) => {
    const spec: Spec = { rules: [{ on: { tools: ["pay"] }, ...rule }] };
    expect([rights(spec, good).mayList("tool", "pay"), typeOf(spec, call("pay"), good)]).toEqual([true, "allow"]);
    expect([rights(spec, bad).mayList("tool", "pay"), typeOf(spec, call("pay"), bad)]).toEqual([false, "hide"]);
    expect(typeOf(spec, call("look"), bad)).toBe("allow");
  });
});

describe("conditions on arguments", () => {
  const spec: Spec = { rules: [{ on: { tools: ["pay"] }, when: "arguments.amount <= 100" }] };

  test("decide at the call, and the tool stays in the list", () => {
    expect(rights(spec).mayList("tool", "pay")).toBe(true);
    expect(typeOf(spec, call("pay", { amount: 100 }))).toBe("allow");
    expect(typeOf(spec, call("pay", { amount: 99.5 }))).toBe("allow");
    expect(typeOf(spec, call("pay", { amount: 101 }))).toBe("hide");
  });

  test("that cannot be evaluated refuse: nothing is granted by an argument that is missing or of another type", () => {
    for (const given of [{}, { amount: "1" }, { amount: null }, { amount: [1] }]) {
      expect([given, typeOf(spec, call("pay", given))]).toEqual([given, "hide"]);
    }
  });

  test("are refused at publish when they may not end in linear time or are no CEL", () => {
    for (const when of ["arguments.a.matches('^(a+)+$')", "arguments.", "1 + 1"]) {
      expect(() => rights({ rules: [{ when }] })).toThrow(/rules\[0\]\.when/);
    }
  });
});

describe("several rules", () => {
  const spec: Spec = {
    rules: [
      { id: "everybody", on: { tools: ["*"] }, scopes: ["tools"] },
      { id: "writers", on: { tools: ["write_*"] }, scopes: ["write"] },
    ],
    hidden: false,
  };

  test("must all hold, and one challenge names what they all need", () => {
    expect(rights(spec, holder({ scopes: ["write"] })).judge(call("write_x"))).toEqual({
      type: "step-up",
      rule: "everybody",
      name: "write_x",
      scopes: ["tools", "write"],
    });
    expect(typeOf(spec, call("write_x"), holder({ scopes: ["write", "tools"] }))).toBe("allow");
  });

  test("a key cannot get more scopes: it is forbidden", () => {
    expect(typeOf(spec, call("write_x"), keyHolder)).toBe("forbid");
    expect(rights(spec, keyHolder).mayList("tool", "write_x")).toBe(false);
  });
});

describe("what no rule is for", () => {
  test("follows the default, while the protocol's own questions stay open", () => {
    const spec: Spec = { rules: [{ on: { tools: ["look"] } }], default: "deny" };
    expect(typeOf(spec, call("look"))).toBe("allow");
    expect(typeOf(spec, call("new_tool"))).toBe("hide");
    for (const method of ["initialize", "tools/list", "ping", "server/discover"]) {
      expect([method, typeOf(spec, { method, type: undefined, names: [], given: {} })]).toEqual([method, "allow"]);
    }
    expect(typeOf(spec, { method: "vendor/do", type: undefined, names: [], given: {} })).toBe("hide");
  });

  test("a method that nobody knows must be allowed for whatever its name may be", () => {
    const spec: Spec = { rules: [{ on: { prompts: ["pay"] }, scopes: ["no"] }] };
    expect(typeOf(spec, { method: "vendor/do", type: undefined, names: ["pay"], given: {} })).toBe("hide");
  });

  test("completion and subscription need what the main method needs", () => {
    const spec: Spec = {
      rules: [
        { on: { methods: ["prompts/get"] }, scopes: ["no"] },
        { on: { methods: ["resources/read"], resources: ["file:*"] }, scopes: ["no"] },
      ],
    };
    const complete = { method: "completion/complete", type: "prompt", names: ["a"], given: {} } as const;
    expect(typeOf(spec, complete)).toBe("hide");
    const listen = { method: "subscriptions/listen", type: "resource", given: {} } as const;
    expect(typeOf(spec, { ...listen, names: ["http:a", "file:b"] })).toBe("hide");
    expect(typeOf(spec, { ...listen, names: ["http:a"] })).toBe("allow");
  });
});

test("any caller, any rules: a list shows a target exactly when its use is not refused", () => {
  const names = fc.constantFrom("read_a", "read_b", "write_a", "x");
  const globs = fc.array(fc.constantFrom("read_*", "write_a", "*", "x"), { minLength: 1, maxLength: 2 });
  const some = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });
  const scopes = fc.uniqueArray(fc.constantFrom("a", "b", "c"), { minLength: 1 });
  const methods = fc.array(fc.constantFrom("tools/call", "prompts/*", "resources/read"), { minLength: 1 });
  const rule = fc.record({
    on: some(fc.record({ tools: some(globs), prompts: some(globs), resources: globs, methods: some(methods) })),
    scopes: some(scopes),
    anyScopes: some(scopes),
    claims: some(fc.record({ dept: fc.constantFrom("finance", "it") })),
    applications: some(
      fc.array(fc.constantFrom<string>(applicationId, "app_*", "other"), { minLength: 1, maxLength: 2 }),
    ),
    keyTypes: some(
      fc.array(fc.constantFrom("production" as const, "sandbox" as const), { minLength: 1, maxLength: 2 }),
    ),
    when: some(fc.constantFrom("principal.claims.dept == 'it'", "'a' in principal.scopes", "operation.name != 'x'")),
  });
  const spec = fc.record({
    rules: fc.array(rule, { maxLength: 4 }),
    default: fc.constantFrom("allow" as const, "deny" as const),
    hidden: fc.boolean(),
  });
  const principal = fc.record({
    type: fc.constantFrom("token" as const, "api-key" as const, "anonymous" as const),
    scopes: fc.subarray(["a", "b", "c"]),
    claims: fc.constantFrom({ dept: "it" }, { dept: ["finance"] }, {}),
    applicationId: fc.constantFrom(applicationId, undefined),
    environment: fc.constantFrom("production" as const, "sandbox" as const),
  });
  const uses: Readonly<Record<TargetType, readonly string[]>> = {
    tool: ["tools/call"],
    prompt: ["prompts/get", "completion/complete"],
    resource: ["resources/read", "resources/subscribe", "completion/complete", "subscriptions/listen"],
  };
  let refused = 0;
  let allowed = 0;
  fc.assert(
    fc.property(spec, principal, names, (rules, who, name) => {
      const own = rights(rules, holder(who));
      for (const type of ["tool", "prompt", "resource"] as const) {
        const isListed = own.mayList(type, name);
        const [main = "", ...further] = uses[type].map(
          (method) => own.judge({ method, type, names: [name], given: {} }).type,
        );
        expect(main === "allow" || main === "step-up").toBe(isListed);
        if (isListed) allowed += 1;
        else {
          refused += 1;
          expect(further).not.toContain("allow");
        }
      }
    }),
    { numRuns: 2_000 },
  );
  expect(Math.min(refused, allowed)).toBeGreaterThan(200);
});
