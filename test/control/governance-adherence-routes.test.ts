import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { GovernedPlane } from "./governed-plane.ts";
import { openGovernedPlane } from "./governed-plane.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let governed: GovernedPlane;

beforeAll(async () => {
  governed = await openGovernedPlane();
  const { make } = governed;
  await make("governance-policies", "names", { rulesets: ["named"], targets: ["global"] });
  await make("governance-policies", "off", { rulesets: ["named"], targets: [] });
  await make("applications", "bad", {}, "blue");
  await make("applications", "good", { displayName: "Good" }, "red");
  await make("applications", "worse", {}, "red");
  await governed.idle();
});
afterAll(() => governed[Symbol.asyncDispose]());

test("policies are listed by name, page by page, with how many resources follow them", async () => {
  const first = await governed.get("/policy-adherence?limit=1");
  expect(first.body.items).toEqual([{ policy: "names", status: "VIOLATED", followed: 1, violated: 2, unapplied: 0 }]);
  expect(first.headers.get("link")).toContain(`cursor=${first.body.next}`);
  const second = await governed.get(`/policy-adherence?limit=1&cursor=${first.body.next}`);
  expect(second.body).toEqual({
    items: [{ policy: "off", status: "UNAPPLIED", followed: 0, violated: 0, unapplied: 0 }],
  });
  const violated = await governed.get("/policy-adherence?status=UNAPPLIED");
  expect(violated.body.items).toMatchObject([{ policy: "off" }]);
});

test("the summary counts policies by how they stand", async () => {
  expect((await governed.get("/policy-adherence/summary")).body).toEqual({
    total: 2,
    followed: 0,
    violated: 1,
    unapplied: 1,
  });
});

test("one policy is told resource by resource, in pages", async () => {
  const first = await governed.get("/policy-adherence/names?limit=2");
  expect(first.body).toMatchObject({
    policy: "names",
    status: "VIOLATED",
    followed: 1,
    violated: 2,
    items: [
      {
        kind: "Application",
        name: "bad",
        status: "VIOLATED",
        compliance: "NON_COMPLIANT",
        rulesets: [{ ruleset: "named", status: "FAILED", findings: 1 }],
      },
      { name: "good", status: "FOLLOWED", rulesets: [{ status: "PASSED", findings: 0 }] },
    ],
  });
  const rest = await governed.get(`/policy-adherence/names?limit=2&cursor=${first.body.next}`);
  expect(rest.body).toMatchObject({ violated: 2, items: [{ name: "worse" }] });
  expect(rest.body.next).toBeUndefined();
});

describe("404", () => {
  test("is for a policy that is not there", async () => {
    expect((await governed.get("/policy-adherence/nobody")).status).toBe(404);
  });
});

describe("400", () => {
  test.each(["not-ours", "bmFtZQ", "%00"])("is for the cursor %s that no page has given", async (cursor) => {
    const answer = await governed.get(`/policy-adherence?cursor=${cursor}`);
    expect(answer.status).toBe(400);
  });
});

describe("who reads for one team", () => {
  const ofRed = (path: string) => governed.getAs("read-only", "red", path);

  test("sees how its own resources stand to a policy, and counts no others", async () => {
    expect((await ofRed("/policy-adherence")).body.items).toMatchObject([
      { policy: "names", followed: 1, violated: 1 },
      { policy: "off" },
    ]);
    const one = await ofRed("/policy-adherence/names");
    expect(one.body).toMatchObject({ followed: 1, violated: 1 });
    expect(one.body.items.map((each) => (each as unknown as { readonly name: string }).name)).toEqual([
      "good",
      "worse",
    ]); // a member that other answers lack
  });

  test("may be a governance admin of that team only, and sees no more", async () => {
    expect((await governed.getAs("governance-admin", "red", "/policy-adherence/names")).body.items).toHaveLength(2);
    expect((await governed.getAs("governance-admin", undefined, "/policy-adherence/names")).body.items).toHaveLength(3);
  });

  test.each(["/policy-adherence", "/policy-adherence/summary", "/policy-adherence/names", "/rulesets"])(
    "and has no part in governance is refused at %s",
    async (path) => {
      expect((await governed.getAs("subscriber", "red", path)).status).toBe(403);
    },
  );
});
