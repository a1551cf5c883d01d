import { describe, expect, test } from "vitest";
import type { AnalyticsTools } from "../../src/analytics/analytics-tools.ts";
import type { CapturedExchange } from "../../src/analytics/capture-reader.ts";
import { uuidOf } from "../kit/event-rows.ts";
import { bearer, makeToken, makeUser } from "./access-kit.ts";
import type { ControlPlane } from "./control-plane.ts";
import { openControlPlane } from "./control-plane.ts";
import { createTeam } from "./team-kit.ts";

const path = `/api/v1/analytics/exchanges/${uuidOf(1)}/texts`;
const operation = {
  operationId: uuidOf(1),
  at: "2026-01-15T12:00:00.000Z",
  goesAt: "2026-01-22T12:00:00.000Z",
  request: [{ place: "messages[0].content", author: "user", text: "Who?" }],
  response: [],
  isCut: false,
  redactions: 0,
};

/** A store with the texts of one exchange of that team's API, which notes for whom it was asked. */
function oneCapture() {
  const asked: unknown[] = [];
  const found: CapturedExchange = { api: { id: "llm_1", name: "chat", teamId: "team_1" }, operations: [operation] };
  const tools: Pick<AnalyticsTools, "captures"> = {
    captures: {
      async find(id, teamIds) {
        asked.push(teamIds);
        return id === uuidOf(1) && (teamIds === undefined || teamIds.includes("team_1")) ? found : undefined;
      },
    },
  };
  // The other tools are not asked for here.
  return { asked, analyticsTools: async () => tools as AnalyticsTools };
}

async function audited(control: ControlPlane): Promise<number> {
  const { text } = await control.send("GET", "/api/v1/audit?limit=200");
  return text.match(/"analytics\.texts-read"/g)?.length ?? 0;
}

async function tokenOf(
  control: ControlPlane,
  roles: readonly string[],
  team?: string,
): Promise<Record<string, string>> {
  await makeUser(control, "ada", team === undefined ? { roles } : { teams: [{ team, roles }] }, {});
  return bearer((await makeToken(control.send, { user: "ada" })).token);
}

describe("200", () => {
  test("an analyst reads the texts of any API, and each reading is in the audit", async () => {
    const { asked, analyticsTools } = oneCapture();
    await using control = await openControlPlane({ analyticsTools });
    const headers = await tokenOf(control, ["analyst"]);
    const answer = await control.send("GET", path, undefined, headers);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      exchangeId: uuidOf(1),
      api: { id: "llm_1", name: "chat" },
      operations: [operation],
    });
    await control.send("GET", path, undefined, headers);
    expect([asked, await audited(control)]).toEqual([[undefined, undefined], 2]);
    expect((await control.send("GET", "/api/v1/audit?limit=200")).text).toContain(uuidOf(1));
  });
});

describe("403", () => {
  test.each(["read-only", "governance-admin", "subscriber"])("%s reads none", async (role) => {
    const { asked, analyticsTools } = oneCapture();
    await using control = await openControlPlane({ analyticsTools });
    const answer = await control.send("GET", path, undefined, await tokenOf(control, [role]));
    expect([answer.status, asked]).toEqual([403, []]);
  });
});

describe("404", () => {
  test("the texts of another team's API are not there, and nothing is audited", async () => {
    const { asked, analyticsTools } = oneCapture();
    await using control = await openControlPlane({ analyticsTools });
    const blue = await createTeam(control, "blue");
    const answer = await control.send("GET", path, undefined, await tokenOf(control, ["api-publisher"], "blue"));
    expect([answer.status, answer.body.code]).toEqual([404, "resource.not_found"]);
    expect([asked, await audited(control)]).toEqual([[[blue]], 0]);
  });

  test.each([uuidOf(2), "nothing", "%00"])("%s", async (id) => {
    const { analyticsTools } = oneCapture();
    await using control = await openControlPlane({ analyticsTools });
    expect((await control.send("GET", `/api/v1/analytics/exchanges/${id}/texts`)).status).toBe(404);
    expect(await audited(control)).toBe(0);
  });
});

test("501: without analytics", async () => {
  await using control = await openControlPlane();
  expect((await control.send("GET", path)).status).toBe(501);
});
