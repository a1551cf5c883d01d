import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Governance } from "../../src/governance/create-governance.ts";
import { createGovernance } from "../../src/governance/create-governance.ts";
import { startEvaluator } from "../governance/ruleset-kit.ts";
import { bearer, makeToken, makeUser } from "./access-kit.ts";
import type { ControlPlane } from "./control-plane.ts";
import { openControlPlane } from "./control-plane.ts";
import { createTeam } from "./team-kit.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let plane: ControlPlane;
let governance: Governance;

const base = "/api/v1/governance";
const rules = {
  // biome-ignore lint/suspicious/noThenProperty: it is Spectral's word
  named: { severity: "warn", given: "$.spec", then: { field: "displayName", function: "truthy" } },
};
const ruleset = { artifacts: ["Application"], ruleset: { rules } };

beforeAll(async () => {
  plane = await openControlPlane();
  governance = createGovernance(() => plane.context, startEvaluator());
  Object.assign(plane.context, { governance });
  await createTeam(plane, "red");
  await createTeam(plane, "blue");
  const make = async (path: string, name: string, spec: object, team = "default"): Promise<void> => {
    expect((await plane.send("POST", `/api/v1/${path}`, { metadata: { name, team }, spec })).status).toBe(201);
  };
  await make("rulesets", "named", ruleset);
  await make("governance-policies", "names", { rulesets: ["named"], targets: ["global"] });
  await make("applications", "good", { displayName: "Good" }, "red");
  await make("applications", "bad", {}, "blue");
  await governance.idle();
});
afterAll(async () => {
  await governance[Symbol.asyncDispose]();
  await plane[Symbol.asyncDispose]();
});

test("resources are listed with their status and score, counted, and told finding by finding", async () => {
  const list = await plane.send("GET", `${base}/artifact-compliance?status=NON_COMPLIANT`);
  expect(list.body.items).toMatchObject([{ kind: "Application", name: "bad", status: "NON_COMPLIANT", score: 0 }]);
  const summary = { total: 2, compliant: 1, nonCompliant: 1, notApplicable: 0, pending: 0 };
  expect((await plane.send("GET", `${base}/artifact-compliance/summary`)).body).toEqual(summary);
  expect((await plane.send("GET", `${base}/artifact-compliance/Application/bad`)).body).toMatchObject({
    status: "NON_COMPLIANT",
    policies: [{ policy: "names", rulesets: [{ status: "FAILED", findings: [{ rule: "named", path: "spec" }] }] }],
  });
  expect((await plane.send("GET", `${base}/policy-adherence`)).body.items).toEqual([
    { policy: "names", status: "VIOLATED", followed: 1, violated: 1, unapplied: 0 },
  ]);
});

test("who reads for one team sees that team's resources, and no others", async () => {
  await makeUser(plane, "reader", { teams: [{ team: "red", roles: ["read-only"] }] }, {});
  const headers = bearer((await makeToken(plane.send, { user: "reader" })).token);
  const list = await plane.send("GET", `${base}/artifact-compliance`, undefined, headers);
  expect(list.body.items).toMatchObject([{ name: "good" }]);
  expect((await plane.send("GET", `${base}/artifact-compliance/summary`, undefined, headers)).body).toMatchObject({
    total: 1,
    nonCompliant: 0,
  });
  const other = await plane.send("GET", `${base}/artifact-compliance/Application/bad`, undefined, headers);
  expect(other.status).toBe(404);
});

describe("a trial", () => {
  const evaluate = (documents: readonly object[]) =>
    plane.send("POST", `${base}/evaluate`, {
      documents: documents.map((document) => ({ apiVersion: "gatehouse/v1", ...document })),
    });

  test("of a resource that is not there says what would be found", async () => {
    const answer = await evaluate([{ kind: "Application", metadata: { name: "new" }, spec: {} }]);
    expect(answer.body.items).toMatchObject([{ name: "new", status: "NON_COMPLIANT", blocked: { publish: 0 } }]);
  });

  test("of a draft of a ruleset holds everything against it, and changes nothing", async () => {
    const lax = { ...ruleset, ruleset: { rules: {} } };
    const answer = await evaluate([{ kind: "Ruleset", metadata: { name: "named" }, spec: lax }]);
    expect(answer.body.items.map(({ status }) => status)).toEqual(["NOT_APPLICABLE", "NOT_APPLICABLE"]);
    expect((await plane.send("GET", `${base}/artifact-compliance/Application/bad`)).body.status).toBe("NON_COMPLIANT");
  });

  test("of a ruleset that is none is refused with the member at fault", async () => {
    const broken = { ...ruleset, ruleset: { rules: { one: { given: "$" } } } };
    const answer = await evaluate([{ kind: "Ruleset", metadata: { name: "broken" }, spec: broken }]);
    expect(answer.status).toBe(422);
    expect(answer.body.errors[0]?.path).toMatch(/^spec\.ruleset\.rules\.one/);
  });
});
