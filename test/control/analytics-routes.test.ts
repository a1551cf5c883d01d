import { describe, expect, test } from "vitest";
import type { AnalyticsReader, AnalyticsStatusReader, Selection } from "../../src/analytics/analytics-reader.ts";
import { GatewayError } from "../../src/kernel/errors.ts";
import { bearer, makeToken, makeUser } from "./access-kit.ts";
import { openControlPlane } from "./control-plane.ts";
import { createTeam } from "./team-kit.ts";

const noon = Date.UTC(2026, 0, 15, 12);

/** A store that notes what it is asked for. */
function notingAnalytics() {
  const asked: { readonly selection: Selection; readonly more: unknown }[] = [];
  const note = async (selection: Selection, more: unknown) => {
    asked.push({ selection, more });
    return [];
  };
  const analytics: AnalyticsReader & AnalyticsStatusReader = {
    async exchanges(selection, more) {
      await note(selection, more);
      return { rows: [], next: "after" };
    },
    traffic: note,
    errors: note,
    latency: note,
    topModels: note,
    topTools: note,
    async costs(selection, more) {
      await note(selection, more);
      return { rows: [], next: "after" };
    },
    routingShadow: note,
    async ask(_question, selection, request) {
      await note(selection, request);
      return { rows: [], next: "after", fromMs: selection.fromMs, toMs: selection.toMs };
    },
    async askAs(format, _question, selection, request) {
      await note(selection, request);
      return new Uint8Array(Buffer.from(format));
    },
    status: () => ({
      mode: "embedded",
      state: "running",
      reason: null,
      version: "26.7",
      pid: 7,
      rssBytes: 1_000,
      restarts: 0,
      backlogBytes: 0,
      spooled: 0,
      written: 0,
      dropped: 0,
      rejected: 0,
    }),
  };
  return { analytics, asked };
}

const lists = ["errors", "latency", "top-models", "top-tools", "routing-shadow"];
const all = ["exchanges", "costs", "traffic", ...lists];
const base = "/api/v1/analytics";

describe("200", () => {
  test.each(all)("%s asks for the range, the API and the environment", async (name) => {
    const { analytics, asked } = notingAnalytics();
    await using control = await openControlPlane({ analytics });
    const range = "from=2026-01-15T12:00:00Z&to=2026-01-15T14:00:00%2B01:00";
    const answer = await control.send("GET", `${base}/${name}?${range}&api=chat&environment=sandbox`);
    expect(answer.status).toBe(200);
    expect(asked[0]?.selection).toEqual({ fromMs: noon, toMs: noon + 3_600_000, api: "chat", environment: "sandbox" });
  });

  test.each(all)("%s is about the last day when no range is given", async (name) => {
    const { analytics, asked } = notingAnalytics();
    await using control = await openControlPlane({ analytics });
    await control.send("GET", `${base}/${name}`);
    const nowMs = control.clock.now();
    expect(asked[0]?.selection).toMatchObject({ fromMs: nowMs - 86_400_000, toMs: nowMs });
  });

  test("exchanges are paged", async () => {
    const { analytics, asked } = notingAnalytics();
    await using control = await openControlPlane({ analytics });
    const answer = await control.send("GET", `${base}/exchanges?limit=3&cursor=before&outcome=denied`);
    expect(asked[0]?.more).toEqual({ limit: 3, cursor: "before", outcome: "denied" });
    expect(answer.body.next).toBe("after");
    expect(answer.headers.get("link")).toContain("cursor=after");
  });

  test.each([
    ["", { groupBy: "model", granularity: "total" }],
    ["groupBy=team&granularity=day&provider=openai", { groupBy: "team", granularity: "day", provider: "openai" }],
    ["groupBy=label:cost-centre&granularity=month", { groupBy: { label: "cost-centre" }, granularity: "month" }],
  ])("costs by %j are paged", async (query, more) => {
    const { analytics, asked } = notingAnalytics();
    await using control = await openControlPlane({ analytics });
    const answer = await control.send("GET", `${base}/costs?limit=3&cursor=before&${query}`);
    expect(asked[0]?.more).toEqual({ limit: 3, cursor: "before", ...more });
    expect(answer.body.next).toBe("after");
  });

  test.each([
    { range: 60, step: 1 },
    { range: 3_600, step: 60 },
    { range: 86_400, step: 1_800 },
    { range: 30 * 86_400, step: 86_400 },
  ])("traffic over $range s has steps of $step s", async ({ range, step }) => {
    const { analytics, asked } = notingAnalytics();
    await using control = await openControlPlane({ analytics });
    const from = new Date(noon - range * 1_000).toISOString();
    const { body } = await control.send("GET", `${base}/traffic?from=${from}&to=2026-01-15T12:00:00Z`);
    expect(asked[0]?.more).toBe(step);
    expect(body).toEqual({ from, to: "2026-01-15T12:00:00.000Z", stepSeconds: step, items: [] });
  });

  test("the status says how the way of the events is", async () => {
    await using control = await openControlPlane({ analytics: notingAnalytics().analytics });
    expect((await control.send("GET", `${base}/status`)).body).toMatchObject({ state: "running", pid: 7 });
  });
});

describe("a question in a file of its own", () => {
  test("is asked with its parameters, its steps and its filters, and continued by its cursor", async () => {
    const { analytics, asked } = notingAnalytics();
    await using control = await openControlPlane({ analytics });
    const query = "limit=7&cursor=before&by=key&tool=search&application=app_1";
    const answer = await control.send("GET", `${base}/top-consumers?${query}`);
    expect(asked[0]).toMatchObject({
      selection: { tool: "search", application: "app_1" },
      more: { limit: 7, cursor: "before", granularity: "total", params: { by: "key" } },
    });
    expect(answer.body.next).toBe("after");
    expect(answer.headers.get("link")).toContain("cursor=after");
    await control.send("GET", `${base}/error-kinds?granularity=hour`);
    expect(asked[1]?.more).toMatchObject({ granularity: "hour", limit: 100 });
    // A session that is asked for is no filter of others.
    await control.send("GET", `${base}/session-timeline?session=abc`);
    expect(asked[2]).toMatchObject({ selection: {}, more: { params: { session: "abc" } } });
    expect(asked[2]?.selection.session).toBeUndefined();
  });

  test("is had as CSV, as a file", async () => {
    await using control = await openControlPlane({ analytics: notingAnalytics().analytics });

    const answer = await control.send("GET", `${base}/clients?format=csv`);
    expect(answer.headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(answer.headers.get("content-disposition")).toBe('attachment; filename="clients.csv"');
    expect(answer.text).toBe("csv");
  });

  test("is in the list of all", async () => {
    await using control = await openControlPlane({ analytics: notingAnalytics().analytics });
    const { body } = await control.send("GET", `${base}/questions`);
    expect(body.items).toContainEqual(
      expect.objectContaining({
        id: "heat-map",
        path: `${base}/heat-map`,
        columns: ["day", "hour", "requests", "errors", "p95"],
      }),
    );
  });

  test.each([
    "error-kinds?granularity=second",
    "top-consumers?by=secret",
    "session-timeline",
    "heat-map?timeZone=Mars",
    "providers?tool=search",
    "clients?granularity=hour",
    "clients?format=xml",
    "unused?days=0",
    "governance-trend?environment=sandbox",
    "governance-trend?by=minute",
    "clients?limit=10001",
  ])("%s is refused", async (query) => {
    await using control = await openControlPlane({ analytics: notingAnalytics().analytics });
    const answer = await control.send("GET", `${base}/${query}`);
    expect([answer.status, answer.body.code]).toEqual([400, "request.invalid"]);
  });
});

test("the trend of compliance is asked where governance is read too, of the teams that the caller may ask about", async () => {
  const { analytics, asked } = notingAnalytics();
  await using control = await openControlPlane({ analytics });
  const path = "/api/v1/governance/trend?by=hour&per=artifact&api=chat";
  expect((await control.send("GET", path)).status).toBe(200);
  expect(asked[0]).toMatchObject({ selection: { api: "chat" }, more: { params: { by: "hour", per: "artifact" } } });
  const blue = await createTeam(control, "blue");
  await makeUser(control, "ada", { teams: [{ team: "blue", roles: ["analyst"] }] }, {});
  const { token } = await makeToken(control.send, { user: "ada" });
  expect((await control.send("GET", path, undefined, bearer(token))).status).toBe(200);
  expect(asked[1]?.selection.teamIds).toEqual([blue]);
});

describe("who has the right for teams only", () => {
  test.each(all)("%s is asked of the APIs of those teams, whatever the query says", async (name) => {
    const { analytics, asked } = notingAnalytics();
    await using control = await openControlPlane({ analytics });
    const [blue, red] = [await createTeam(control, "blue"), await createTeam(control, "red")];
    const teams = [
      { team: "blue", roles: ["analyst"] },
      { team: "red", roles: ["subscriber"] },
    ];
    await makeUser(control, "ada", { teams }, {});
    const { token } = await makeToken(control.send, { user: "ada" });
    expect((await control.send("GET", `${base}/${name}?api=chat`, undefined, bearer(token))).status).toBe(200);
    expect(asked[0]?.selection).toMatchObject({ api: "chat", teamIds: [blue] });
    for (const query of [`teamIds=${red}`, `team=${red}`, `team_id=${red}`]) {
      expect((await control.send("GET", `${base}/${name}?${query}`, undefined, bearer(token))).status).toBe(400);
    }
    expect((await control.send("GET", `${base}/status`, undefined, bearer(token))).status).toBe(403);
  });
});

describe("400", () => {
  test.each([
    "from=yesterday",
    "from=2026-01-15T12:00:00Z&to=2026-01-15T12:00:00Z",
    "from=2020-01-15T12:00:00Z&to=2026-01-15T12:00:00Z",
    "environment=staging",
    "limit=0",
    "limit=201",
    "tenant=me",
    "api=",
  ])("refuses %s", async (query) => {
    const { analytics, asked } = notingAnalytics();
    await using control = await openControlPlane({ analytics });
    for (const name of lists) {
      const answer = await control.send("GET", `${base}/${name}?${query}`);
      expect([answer.status, answer.body.code]).toEqual([400, "request.invalid"]);
    }
    expect(asked).toEqual([]);
  });

  test.each(["groupBy=colour", "groupBy=label:", "granularity=minute", "provider=", "currency=USD"])(
    "refuses costs by %s",
    async (query) => {
      await using control = await openControlPlane({ analytics: notingAnalytics().analytics });
      const answer = await control.send("GET", `${base}/costs?${query}`);
      expect([answer.status, answer.body.code]).toEqual([400, "request.invalid"]);
    },
  );

  test("refuses traffic in more steps than anybody can read", async () => {
    await using control = await openControlPlane({ analytics: notingAnalytics().analytics });
    const answer = await control.send("GET", `${base}/traffic?stepSeconds=1`);
    expect(answer.body.errors).toEqual([expect.objectContaining({ path: "query.stepSeconds" })]);
  });
});

describe("501", () => {
  test.each(["status", ...all])("%s says that there is no analytics", async (name) => {
    await using control = await openControlPlane();
    const answer = await control.send("GET", `${base}/${name}`);
    expect([answer.status, answer.body.code]).toEqual([501, "analytics.not_available"]);
  });
});

describe("503", () => {
  test("a store that is away is a problem with its code, and nothing of its own words gets out", async () => {
    const { analytics } = notingAnalytics();
    const away = () =>
      Promise.reject(new GatewayError("store.unavailable", "The store is away.", { detail: "password=canary" }));
    await using control = await openControlPlane({ analytics: { ...analytics, errors: away } });
    const answer = await control.send("GET", `${base}/errors`);
    expect([answer.status, answer.body.code]).toEqual([503, "store.unavailable"]);
    expect(answer.text).not.toContain("canary");
  });
});
