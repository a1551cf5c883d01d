import type { Selection } from "../../../analytics/analytics-reader.ts";
import type { Traffic } from "../../../analytics/answers.ts";
import { trafficSchema } from "../../../analytics/answers.ts";
import type { ClickHouseSession } from "../clickhouse-session.ts";
import { askClickHouse } from "./ask-clickhouse.ts";
import { rollupSource, rollupSteps } from "./rollup-source.ts";

/** What passed in each step of `stepSeconds`, in the order of time; steps without traffic are left out. */
export async function traffic(
  session: ClickHouseSession,
  selection: Selection,
  stepSeconds: number,
): Promise<readonly Traffic[]> {
  const stepMs = stepSeconds * 1_000;
  const isOfHours = stepMs % rollupSteps.hour.ms === 0;
  const time = isOfHours ? rollupSteps.hour.begin : begin("ts");
  const { from, parameters } = rollupSource(
    selection,
    isOfHours ? "hour" : undefined,
    (where) => `SELECT toDateTime64(${time}, 3, 'UTC') AS time, outcome, count() AS requests,
  sum(ifNull(input_tokens, 0)) AS input, sum(ifNull(output_tokens, 0)) AS output,
  sum(request_bytes) AS sent, sum(response_bytes) AS received
FROM {db}.exchanges WHERE ${where} GROUP BY ${time}, outcome`,
  );
  return askClickHouse(session, {
    sql: `SELECT ${begin("time")} AS at, sum(requests) AS requests, sumIf(each.requests, outcome = 'denied') AS denied,
  sumIf(each.requests, outcome IN ('failed', 'upstream_error')) AS failed, sum(input) AS inputTokens,
  sum(output) AS outputTokens, sum(sent) AS requestBytes, sum(received) AS responseBytes
FROM ${from} AS each GROUP BY at ORDER BY at LIMIT 10000`,
    parameters: { ...parameters, step: stepMs },
    row: trafficSchema,
  });
}

/** When the step of a time begins. */
function begin(time: string): string {
  return `fromUnixTimestamp64Milli(intDiv(toUnixTimestamp64Milli(${time}), {step:Int64}) * {step:Int64}, 'UTC')`;
}
