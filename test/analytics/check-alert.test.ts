import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { checkAlert } from "../../src/analytics/check-alert.ts";
import { alert } from "../../src/core/alert.ts";

const guide = new URL("../../docs/guides/alerts.md", import.meta.url);

/** What a row of the guide's table says, as the members of an alert. */
function memberOf(words: string): object {
  const [, question, field, per] = /^`([a-z-]+)`, `([A-Za-z0-9.]+)`(?: per `([A-Za-z0-9.]+)`)?/.exec(words) ?? [];
  const where = Object.fromEntries(
    [...words.matchAll(/where: \{ (\w+): ([\w-]+) \}/g)].map(([, name = "", value]) => [name, value]),
  );
  return { question, field, where, ...(per !== undefined && { per }) };
}

describe("what the guide says that alerts can be told of", () => {
  test("is something that its questions answer", async () => {
    const rows = (await readFile(guide, "utf8")).split("\n").filter((line) => /^\| [a-z].*\| `/.test(line));
    const asked = rows.map((row) => memberOf(row.split(" | ")[1] ?? ""));
    expect(asked.length).toBeGreaterThanOrEqual(8);
    for (const each of asked) expect(checkAlert(alert.spec.parse({ ...each, condition: { above: 1 } }))).toEqual([]);
  });

  test.each([
    { name: "tool errors", spec: { question: "top-tools", field: "failed", per: "calls" } },
    { name: "a budget that burns", spec: { question: "spend-forecast", field: "forecast", params: { by: "key" } } },
    { name: "p99", spec: { question: "latency", field: "durationMs.p99", combine: "max" } },
    { name: "drift of routes", spec: { question: "routing-shares", field: "share", where: { target: "a" } } },
    { name: "hits of guardrails", spec: { question: "guardrail-hits", field: "count", where: { action: "deny" } } },
  ])("$name can be watched by a threshold and by what was usual", ({ spec }) => {
    for (const condition of [{ above: 1 }, { anomaly: {} }])
      expect(checkAlert(alert.spec.parse({ ...spec, condition }))).toEqual([]);
  });
});
