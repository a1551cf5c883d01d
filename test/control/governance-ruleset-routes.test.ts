import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { packagedRulesets } from "../../src/governance/spectral/ruleset-names.ts";
import type { GovernedPlane } from "./governed-plane.ts";
import { namedRules, openGovernedPlane } from "./governed-plane.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let governed: GovernedPlane;
const validation = (name: string, ruleset: string): string =>
  `/artifact-compliance/Application/${name}/ruleset-validation-results/${ruleset}`;
const owasp = "%40stoplight%2Fspectral-owasp-ruleset";

beforeAll(async () => {
  governed = await openGovernedPlane();
  const { make } = governed;
  await make("rulesets", "stricter", { artifacts: ["Application"], ruleset: { extends: ["named"] } });
  await make("governance-policies", "lax", { rulesets: ["named"], targets: ["global"], threshold: "error" });
  await make("governance-policies", "strict", { rulesets: ["named", "stricter"], targets: ["global"] });
  await make("applications", "bad", {}, "blue");
  await make("applications", "good", { displayName: "Good" }, "red");
  await make("exemptions", "bad-stricter", {
    artifact: { kind: "Application", name: "bad" },
    rule: "named",
    ruleset: "stricter",
    reason: "It has a name soon.",
    approver: "ada",
  });
  await governed.idle();
});
afterAll(() => governed[Symbol.asyncDispose]());

describe("what a ruleset has found in a resource", () => {
  test("is told rule by rule, with the place, what to do, and each policy's verdict", async () => {
    expect((await governed.get(validation("bad", "named"))).body).toEqual({
      kind: "Application",
      name: "bad",
      ruleset: "named",
      status: "FAILED",
      policies: [
        { policy: "lax", status: "PASSED" },
        { policy: "strict", status: "FAILED" },
      ],
      rules: 1,
      violatedRules: [
        {
          rule: "named",
          severity: "warn",
          howToFix: "Give it a display name.",
          documentationUrl: null,
          violatedPaths: [
            { path: "spec", line: 8, description: expect.stringContaining("displayName"), exemption: null },
          ],
        },
      ],
      faults: [],
    });
  });

  test("passes where it is exempt, which is shown, or where nothing was found", async () => {
    expect((await governed.get(validation("bad", "stricter"))).body).toMatchObject({
      status: "PASSED",
      violatedRules: [{ rule: "named", violatedPaths: [{ exemption: "bad-stricter" }] }],
    });
    expect((await governed.get(validation("good", "named"))).body).toMatchObject({
      status: "PASSED",
      rules: 1,
      violatedRules: [],
    });
  });

  test.each([
    ["a ruleset that no policy holds against it", validation("bad", "gatehouse:rest")],
    ["a ruleset that is not there", validation("bad", "nothing")],
    ["a resource that is not there", validation("nobody", "named")],
    ["a kind that is none", "/artifact-compliance/Nothing/bad/ruleset-validation-results/named"],
  ])("is 404 for %s", async (_, path) => {
    expect((await governed.get(path)).status).toBe(404);
  });

  test("is 404 for who reads for another team, and is there for its own and for the governance admin", async () => {
    expect((await governed.getAs("read-only", "red", validation("bad", "named"))).status).toBe(404);
    expect((await governed.getAs("governance-admin", "red", validation("bad", "named"))).status).toBe(404);
    expect((await governed.getAs("read-only", "blue", validation("bad", "named"))).status).toBe(200);
    expect((await governed.getAs("governance-admin", undefined, validation("bad", "named"))).status).toBe(200);
    expect((await governed.getAs("analyst", undefined, validation("bad", "named"))).status).toBe(403);
  });
});

describe("the rulesets that policies may name", () => {
  test("are listed with those that ship with the product, page by page and by kind", async () => {
    const names: unknown[] = [];
    let cursor = "";
    do {
      const { body } = await governed.get(`/rulesets?limit=5${cursor}`);
      names.push(...body.items.map((each) => ("name" in each ? each.name : undefined)));
      cursor = body.next === undefined ? "" : `&cursor=${body.next}`;
    } while (cursor !== "");
    expect(names).toEqual([...packagedRulesets, "named", "stricter"].toSorted());
    expect((await governed.get("/rulesets?kind=Application")).body.items).toEqual([
      { name: "named", title: "named", type: "metadata", artifacts: ["Application"], isBuiltIn: false },
      { name: "stricter", title: "stricter", type: "metadata", artifacts: ["Application"], isBuiltIn: false },
    ]);
  });

  test("are read, but for those that are the code of a package", async () => {
    expect((await governed.get("/rulesets/named/content")).body).toEqual({
      name: "named",
      ruleset: { rules: namedRules },
    });
    const ours = await governed.get("/rulesets/gatehouse:mcp/content");
    expect(ours.body).toMatchObject({ ruleset: { rules: { "mcp-tools-distinct": expect.anything() } } });
    const packaged = await governed.get(`/rulesets/${owasp}/content`);
    expect([packaged.status, packaged.body.detail]).toEqual([404, expect.stringContaining("code of a package")]);
    expect((await governed.get("/rulesets/nothing/content")).status).toBe(404);
  });

  test("say which policies hold them and which rulesets extend them", async () => {
    expect((await governed.get("/rulesets/named/usage")).body).toEqual({
      name: "named",
      policies: ["lax", "strict"],
      rulesets: ["stricter"],
    });
    expect((await governed.get(`/rulesets/${owasp}/usage`)).body).toMatchObject({ policies: [], rulesets: [] });
    expect((await governed.get("/rulesets/nothing/usage")).status).toBe(404);
  });

  test("are not deleted while something uses them: 409 names the users", async () => {
    const { version } = (await governed.plane.send("GET", "/api/v1/rulesets/named")).body.metadata;
    const answer = await governed.plane.send("DELETE", "/api/v1/rulesets/named", undefined, {
      "if-match": `"${version}"`,
    });
    expect(answer.status).toBe(409);
    for (const user of ["GovernancePolicy/lax", "GovernancePolicy/strict", "Ruleset/stricter"])
      expect(answer.body.detail).toContain(user);
  });
});
