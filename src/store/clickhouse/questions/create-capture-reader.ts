import { z } from "zod";
import type { CaptureReader } from "../../../analytics/capture-reader.ts";
import { capturedOperationSchema } from "../../../analytics/capture-reader.ts";
import { parseJson } from "../../../kernel/parse-json.ts";
import type { ClickHouseSession } from "../clickhouse-session.ts";
import { askClickHouse } from "./ask-clickhouse.ts";
import { exchangeCondition } from "./exchange-condition.ts";

const rowSchema = z.object({
  at: z.iso.datetime(),
  goesAt: z.iso.datetime(),
  operation_id: z.string(),
  team_id: z.string(),
  api_id: z.string(),
  api_name: z.string(),
  request: z.string(),
  response: z.string(),
  is_cut: z.boolean(),
  redactions: z.int(),
});

/** Finds texts by the exchange's id. What has outlived its days is not shown, though the store may not have dropped it yet. */
export function createCaptureReader(session: ClickHouseSession): CaptureReader {
  return {
    async find(exchangeId, teamIds) {
      const condition = exchangeCondition(exchangeId, teamIds);
      if (condition === undefined) return undefined;
      const rows = await askClickHouse(session, {
        sql: `SELECT ts AS at, ts + toIntervalDay(kept_days) AS goesAt, operation_id, team_id, api_id, api_name,
request, response, is_cut, redactions
FROM {db}.captures ${condition.where} AND ${stillKept} ORDER BY ts, operation_id LIMIT 1000`,
        parameters: condition.parameters,
        row: rowSchema,
      });
      const [first] = rows;
      if (first === undefined) return undefined;
      return {
        api: { id: first.api_id, name: first.api_name, teamId: first.team_id },
        operations: rows.map((row) =>
          capturedOperationSchema.parse({
            operationId: row.operation_id,
            at: row.at,
            request: parseJson(row.request),
            response: parseJson(row.response),
            isCut: row.is_cut,
            redactions: row.redactions,
            goesAt: row.goesAt,
          }),
        ),
      };
    },
  };
}

/** Of a row of `captures`: its days are not over. */
export const stillKept = "ts + toIntervalDay(kept_days) > now64(3, 'UTC')";
