import { z } from "zod";
import { atSchema, defineQuestion } from "./define-question.ts";

const steps = {
  hour: ["toStartOfHour", "addHours"],
  day: ["toStartOfDay", "addDays"],
  week: ["toMonday", "addWeeks"],
  month: ["toStartOfMonth", "addMonths"],
} as const;
const stepNames = Object.keys(steps) as readonly (keyof typeof steps)[]; // its own keys

/** How far back of the range the last word on a resource is looked for: one is noted of each a day while a process runs. */
const daysBefore = 40;

/** How resources stood to their rules, step by step: also those that have not changed in the range. */
export const governanceTrend = defineQuestion({
  id: "governance-trend",
  title: "Compliance over time",
  description:
    "How resources stood to their rules at the end of each step, the last one as of `to`: by kind, or each for itself. Those for which no rule is are left out, and those of which nothing was noted in the 40 days before the range.",
  component: "ComplianceStep",
  table: "governance_events",
  params: {
    by: z
      .enum(stepNames)
      .default("day")
      .meta({ title: "By", description: "The length of a step, by the calendar of UTC." }),
    per: z
      .enum(["kind", "artifact"])
      .default("kind")
      .meta({ title: "Per", description: "A row for each kind of resource, or for each resource." }),
  },
  row: {
    at: atSchema,
    kind: z.string(),
    name: z.string().nullable(),
    artifacts: z.int(),
    compliant: z.int(),
    nonCompliant: z.int(),
    findings: z.int().meta({ description: "That count." }),
    score: z.number().nullable().meta({ description: "The mean, from 0 to 100." }),
  },
  sql({ scope }, { by, per }) {
    const [begin, add] = steps[by];
    const where = `ts >= fromUnixTimestamp64Milli({from:Int64}) - toIntervalDay(${daysBefore}) AND ts < fromUnixTimestamp64Milli({to:Int64})
    AND act IN ('compliance.changed', 'compliance.seen', 'artifact.removed') AND artifact_id != '' AND ${scope}`;
    return `SELECT at, kind, ${per === "kind" ? "nullIf('', '')" : "toNullable(artifact)"} AS name, count() AS artifacts,
  countIf(status = 'COMPLIANT') AS compliant, countIf(status = 'NON_COMPLIANT') AS nonCompliant, sum(found) AS findings,
  round(avg(points), 2) AS score
FROM (
  SELECT grid.at AS at, states.state.1 AS kind, states.state.2 AS artifact, states.state.3 AS status, states.state.4 AS points,
    states.state.5 AS found
  FROM (
    SELECT artifact_id, at, least(${add}(at, 1), fromUnixTimestamp64Milli({to:Int64}, 'UTC')) AS until
    FROM (SELECT DISTINCT artifact_id FROM {db}.governance_events WHERE ${where}) AS known
    CROSS JOIN (
      SELECT DISTINCT toDateTime64(${begin}(fromUnixTimestamp64Milli(ms, 'UTC')), 3, 'UTC') AS at
      FROM (SELECT arrayJoin(arrayPushBack(range({from:Int64}, {to:Int64}, 3600000), {to:Int64} - 1)) AS ms)
    ) AS steps
  ) AS grid
  ASOF INNER JOIN (
    SELECT artifact_id, ts, argMax(
      tuple(toString(artifact_kind), toString(artifact_name), if(act = 'artifact.removed', '', toString(to_status)), score, findings),
      multiIf(act = 'artifact.removed', 2, act = 'compliance.changed', 1, 0)
    ) AS state
    FROM {db}.governance_events WHERE ${where} GROUP BY artifact_id, ts
  ) AS states ON grid.artifact_id = states.artifact_id AND grid.until > states.ts
)
WHERE status IN ('COMPLIANT', 'NON_COMPLIANT') GROUP BY at, kind, name ORDER BY at, kind, name`;
  },
});
