import { dashboardFigures } from "./dashboard-figures.ts";

/** The page `docs/reference/dashboard-figures.md`: `node test/print-dashboard-figures.ts > docs/reference/dashboard-figures.md`. */
export function printDashboardFigures(): string {
  const table = (of: "WSO2" | "more"): string[] => [
    "| figure | `GET /api/v1/analytics/…` | what of it |",
    "|---|---|---|",
    ...dashboardFigures
      .filter((each) => each.of === of)
      .map(({ figure, question, members }) => `| ${figure} | \`${question}\` | ${members} |`),
  ];
  return [
    "# Figures of dashboards",
    "",
    "Made from `test/dashboard-figures.ts`, which names the tests that count each of them by hand. What the questions take and",
    "answer is in the OpenAPI document; the questions themselves are in [Analytics](../guides/analytics.md). `sql` is a POST.",
    "",
    "## What WSO2's dashboards of MCP show",
    "",
    "By the list of API Manager 4.7, with its kinds of errors.",
    "",
    ...table("WSO2"),
    "",
    "## What one would ask beyond that",
    "",
    ...table("more"),
    "",
  ].join("\n");
}

if (import.meta.main) process.stdout.write(printDashboardFigures());
