import { expect, test } from "vitest";
import type { AnalyticsTools } from "../../src/analytics/analytics-tools.ts";
import type { PrunedMonth } from "../../src/analytics/row-pruner.ts";
import { bearer, makeToken, makeUser } from "./access-kit.ts";
import type { ControlPlane } from "./control-plane.ts";
import { openControlPlane } from "./control-plane.ts";

const path = "/api/v1/analytics/prune";
const march: PrunedMonth = { table: "exchanges", month: "2026-03", rows: 2 };

function notingPruner(months: readonly PrunedMonth[] = [march]) {
  const dropped: unknown[] = [];
  const tools: Pick<AnalyticsTools, "pruner"> = {
    pruner: { before: async () => months, drop: async (given) => void dropped.push(given) },
  };
  // The other tools are not asked for here.
  return { dropped, analyticsTools: async () => tools as AnalyticsTools };
}

async function audited(control: ControlPlane): Promise<number> {
  const { text } = await control.send("GET", "/api/v1/audit?limit=200");
  return text.match(/"analytics\.pruned"/g)?.length ?? 0;
}

test("a dry run tells what would go, and nothing goes", async () => {
  const { dropped, analyticsTools } = notingPruner();
  await using control = await openControlPlane({ analyticsTools });
  const answer = await control.send("POST", path, { before: "2026-05-01T00:00:00Z", dryRun: true });
  expect([answer.status, answer.body]).toEqual([200, { dropped: false, months: [march] }]);
  expect([dropped, await audited(control)]).toEqual([[], 0]);
});

test("what goes is in the audit; where nothing does, nothing is", async () => {
  const { dropped, analyticsTools } = notingPruner();
  await using control = await openControlPlane({ analyticsTools });
  const answer = await control.send("POST", path, { before: "2026-05-01T00:00:00Z" });
  expect([answer.status, answer.body]).toEqual([200, { dropped: true, months: [march] }]);
  expect([dropped, await audited(control)]).toEqual([[[march]], 1]);

  const nothing = notingPruner([]);
  await using other = await openControlPlane({ analyticsTools: nothing.analyticsTools });
  expect((await other.send("POST", path, { before: "2026-05-01T00:00:00Z" })).body).toEqual({
    dropped: false,
    months: [],
  });
  expect([nothing.dropped, await audited(other)]).toEqual([[], 0]);
});

test.each([{}, { before: "May" }, { before: "2026-05-01T00:00:00Z", table: "exchanges" }])("400: %j", async (body) => {
  const { dropped, analyticsTools } = notingPruner();
  await using control = await openControlPlane({ analyticsTools });
  expect((await control.send("POST", path, body)).status).toBe(400);
  expect(dropped).toEqual([]);
});

test("403: an analyst asks, and takes nothing away", async () => {
  const { dropped, analyticsTools } = notingPruner();
  await using control = await openControlPlane({ analyticsTools });
  await makeUser(control, "ada", { roles: ["analyst"] }, {});
  const { token } = await makeToken(control.send, { user: "ada" });
  const body = { before: "2026-05-01T00:00:00Z", dryRun: true };
  expect((await control.send("POST", path, body, bearer(token))).status).toBe(403);
  expect(dropped).toEqual([]);
});
