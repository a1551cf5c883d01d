import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { questions } from "../../src/analytics/questions/index.ts";
import { dashboardFigures } from "../dashboard-figures.ts";
import { printDashboardFigures } from "../print-dashboard-figures.ts";

/** Questions that stand beside the list, in routes of their own. */
const others = ["traffic", "top-tools", "sql"];

describe("the figures of dashboards", () => {
  test("are those of WSO2's list and those beyond it, each once", () => {
    const ids = dashboardFigures.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(dashboardFigures.filter((each) => each.of === "WSO2")).toHaveLength(18);
    expect(dashboardFigures).toHaveLength(31);
  });

  test.each(dashboardFigures)("$id has its question and a test that counts it by hand", ({ question, tests }) => {
    const [id = ""] = question.split("?");
    expect([...questions.map((each) => each.id), ...others]).toContain(id);
    expect(tests.length).toBeGreaterThan(0);
    for (const [file, name] of tests) {
      const holds = existsSync(file) && readFileSync(file, "utf8").includes(`"${name}"`);
      expect([file, name, holds]).toEqual([file, name, true]);
    }
  });

  test("are on the page that is made from them", () => {
    expect(readFileSync("docs/reference/dashboard-figures.md", "utf8")).toBe(printDashboardFigures());
  });
});
