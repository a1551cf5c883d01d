import { describe, expect, test } from "vitest";
import type { AnalyticsReader, AnalyticsStatusReader, Selection } from "../../src/analytics/analytics-reader.ts";
import { questions } from "../../src/analytics/questions/index.ts";
import { bearer, makeToken, makeUser } from "./access-kit.ts";
import { openControlPlane } from "./control-plane.ts";
import { createTeam } from "./team-kit.ts";

const base = "/api/v1/analytics";
/** What a question cannot be asked without. */
const needed: Readonly<Record<string, string>> = { "session-timeline": "session=abc" };
const ids = questions.map(({ id }) => id);

/** A store that notes what it is asked for, of questions in files of their own. */
function notingAnalytics() {
  const asked: { readonly question: string; readonly selection: Selection }[] = [];
  const analytics: Partial<AnalyticsReader & AnalyticsStatusReader> = {
    async ask(question, selection) {
      asked.push({ question: question.id, selection });
      return { rows: [], next: undefined, fromMs: selection.fromMs, toMs: selection.toMs };
    },
    async askAs(format, question, selection) {
      asked.push({ question: question.id, selection });
      return new Uint8Array(Buffer.from(format));
    },
  };
  return { analytics: analytics as AnalyticsReader & AnalyticsStatusReader, asked }; // nothing else is asked for here
}

const pathOf = (id: string, query: string): string =>
  `${base}/${id}?${[needed[id], query].filter((part) => part !== undefined && part !== "").join("&")}`;

describe("200", () => {
  test.each(ids)("%s is asked of the teams that the caller may ask about, in each format", async (id) => {
    const { analytics, asked } = notingAnalytics();
    await using control = await openControlPlane({ analytics });
    const [blue] = [await createTeam(control, "blue"), await createTeam(control, "red")];
    const teams = [
      { team: "blue", roles: ["analyst"] },
      { team: "red", roles: ["subscriber"] },
    ];
    await makeUser(control, "ada", { teams }, {});
    const { token } = await makeToken(control.send, { user: "ada" });
    const types = [];
    for (const format of ["json", "csv", "ndjson", "parquet"]) {
      const answer = await control.send("GET", pathOf(id, `format=${format}`), undefined, bearer(token));
      types.push([answer.status, answer.headers.get("content-type")]);
    }
    expect(types).toEqual([
      [200, expect.stringContaining("application/json")],
      [200, "text/csv; charset=utf-8"],
      [200, "application/x-ndjson"],
      [200, "application/vnd.apache.parquet"],
    ]);
    expect(asked).toHaveLength(4);
    for (const { question, selection } of asked) expect([question, selection.teamIds]).toEqual([id, [blue]]);
  });
});

describe("400", () => {
  test.each(ids)("%s refuses what it does not know, and pages, ranges and formats that are none", async (id) => {
    const { analytics, asked } = notingAnalytics();
    await using control = await openControlPlane({ analytics });
    for (const query of [
      "tenant=me",
      "teamIds=team_1",
      "limit=0",
      "limit=1.5",
      "limit=10001",
      "limit=many",
      "cursor=",
      `cursor=${"x".repeat(1_001)}`,
      "format=xml",
      "granularity=second",
      "environment=staging",
      "api=",
      "from=yesterday",
      "from=2026-01-15T12:00:00Z&to=2026-01-15T12:00:00Z",
      "from=2020-01-15T12:00:00Z&to=2026-01-15T12:00:00Z",
    ]) {
      const answer = await control.send("GET", pathOf(id, query));
      expect([query, answer.status, answer.body.code]).toEqual([query, 400, "request.invalid"]);
    }
    expect(asked).toEqual([]);
  });
});

describe("401", () => {
  test.each(ids)("%s is for nobody who is not known", async (id) => {
    await using control = await openControlPlane({ analytics: notingAnalytics().analytics });
    expect((await control.send("GET", pathOf(id, ""), undefined, bearer("nobody's"))).status).toBe(401);
  });
});
