import { expect, test } from "vitest";
import type { AnalyticsTools } from "../../src/analytics/analytics-tools.ts";
import { explainedRowSchema } from "../../src/analytics/explain-rows.ts";
import { exchangeRow, uuidOf } from "../kit/event-rows.ts";
import { bearer, makeToken, makeUser } from "./access-kit.ts";
import { openControlPlane } from "./control-plane.ts";
import { createTeam } from "./team-kit.ts";

const path = `/api/v1/analytics/exchanges/${uuidOf(1)}/explain`;

/** A store that has one exchange, and notes for whom it was asked. */
function oneExchange() {
  const asked: unknown[] = [];
  const row = explainedRowSchema.parse({ ...exchangeRow(1), ts: "2026-01-15T12:00:00Z" });
  const tools: Pick<AnalyticsTools, "exchanges"> = {
    exchanges: {
      async find(id, teamIds) {
        asked.push(teamIds);
        const isTheirs = teamIds === undefined || teamIds.includes("team_1");
        return id === uuidOf(1) && isTheirs ? { rows: [row], attempts: [], document: undefined } : undefined;
      },
    },
  };
  // The other tools are not asked for here.
  return { asked, analyticsTools: async () => tools as AnalyticsTools };
}

test("200: who sees all is told of any exchange", async () => {
  const { asked, analyticsTools } = oneExchange();
  await using control = await openControlPlane({ analyticsTools });
  const answer = await control.send("GET", path);
  expect(answer.status).toBe(200);
  expect(answer.body).toMatchObject({ exchangeId: uuidOf(1), operations: [{ outcome: "ok" }] });
  expect(asked).toEqual([undefined]);
});

test("404: one that is not there, or of another team's API", async () => {
  const { asked, analyticsTools } = oneExchange();
  await using control = await openControlPlane({ analyticsTools });
  expect((await control.send("GET", "/api/v1/analytics/exchanges/nothing/explain")).status).toBe(404);
  const blue = await createTeam(control, "blue");
  await makeUser(control, "ada", { teams: [{ team: "blue", roles: ["analyst"] }] }, {});
  const { token } = await makeToken(control.send, { user: "ada" });
  const answer = await control.send("GET", path, undefined, bearer(token));
  expect([answer.status, answer.body.code]).toEqual([404, "resource.not_found"]);
  expect(asked.at(-1)).toEqual([blue]);
});

test("501: without analytics", async () => {
  await using control = await openControlPlane();
  expect((await control.send("GET", path)).status).toBe(501);
});
