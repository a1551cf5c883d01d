import { z } from "zod";
import type { ExportFormat, QuestionPage, QuestionRequest, Selection } from "../../../analytics/analytics-reader.ts";
import type { Granularity, Question } from "../../../analytics/questions/define-question.ts";
import { GatewayError } from "../../../kernel/errors.ts";
import { parseJson } from "../../../kernel/parse-json.ts";
import type { ClickHouseSession } from "../clickhouse-session.ts";
import {
  askClickHouse,
  exportFormatNames,
  questionSettings,
  selectionCondition,
  selectionParameters,
} from "./ask-clickhouse.ts";
import { governanceCondition } from "./governance-condition.ts";

/**
 * A page of a question's rows. Its cursor has the range and how many rows went before: as long as no more rows come to
 * that range, each is on one page.
 */
export async function askQuestion(
  session: ClickHouseSession,
  question: Question,
  asked: Selection,
  request: QuestionRequest,
): Promise<QuestionPage> {
  const { selection, offset } = continued(asked, request.cursor);
  const { limit } = request;
  const rows = await askClickHouse(session, {
    sql: `${sqlOf(question, selection, request)} LIMIT {limit:UInt32} OFFSET {offset:UInt64}`,
    parameters: { ...valuesOf(question, selection, request), limit: limit + 1, offset },
    row: question.row,
  });
  const { fromMs, toMs } = selection;
  const isMore = rows.length > limit;
  return { rows: rows.slice(0, limit), next: isMore ? cursorOf(selection, offset + limit) : undefined, fromMs, toMs };
}

const exportSeconds = 30;

/** The rows of a question as the engine writes them. */
export async function exportQuestion(
  session: ClickHouseSession,
  format: ExportFormat,
  question: Question,
  asked: Selection,
  request: QuestionRequest,
): Promise<Uint8Array<ArrayBuffer>> {
  const { selection, offset } = continued(asked, request.cursor);
  const sql = `${sqlOf(question, selection, request)} LIMIT {limit:UInt32} OFFSET {offset:UInt64} FORMAT ${exportFormatNames[format]}`;
  return session.use(async ({ reader, database }) => {
    const { stream } = await reader.exec({
      query: sql.replaceAll("{db}", database),
      query_params: { ...valuesOf(question, selection, request), limit: request.limit, offset },
      clickhouse_settings: { ...questionSettings, max_execution_time: exportSeconds },
    });
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(Buffer.from(chunk));
    return new Uint8Array(Buffer.concat(chunks));
  });
}

const steps: Readonly<Record<Granularity, string>> = {
  total: "fromUnixTimestamp64Milli({from:Int64}, 'UTC')",
  minute: "toDateTime64(toStartOfMinute(ts), 3, 'UTC')",
  hour: "toDateTime64(toStartOfHour(ts), 3, 'UTC')",
  day: "toDateTime64(toStartOfDay(ts), 3, 'UTC')",
  week: "toDateTime64(toMonday(ts), 3, 'UTC')",
  month: "toDateTime64(toStartOfMonth(ts), 3, 'UTC')",
};

const inRange = "ts >= fromUnixTimestamp64Milli({from:Int64}) AND ts < fromUnixTimestamp64Milli({to:Int64})";

function sqlOf(question: Question, selection: Selection, { params, granularity }: QuestionRequest): string {
  const { table } = question;
  const step = steps[granularity];
  if (table !== "governance_events") {
    return question.sql({ where: selectionCondition(selection, table), scope: "true", step }, params);
  }
  const scope = governanceCondition(selection);
  return question.sql({ where: `${inRange} AND ${scope}`, scope, step }, params);
}

function valuesOf(question: Question, selection: Selection, { params }: QuestionRequest) {
  return { ...selectionParameters(selection), ...question.values(params) };
}

const cursorSchema = z.tuple([z.int(), z.int(), z.int().min(0).max(1_000_000_000)]);

function cursorOf({ fromMs, toMs }: Selection, offset: number): string {
  return Buffer.from(JSON.stringify([fromMs, toMs, offset])).toString("base64url");
}

function continued(
  asked: Selection,
  cursor: string | undefined,
): { readonly selection: Selection; readonly offset: number } {
  if (cursor === undefined) return { selection: asked, offset: 0 };
  try {
    const text = Buffer.from(cursor, "base64url").toString("utf8");
    const [fromMs, toMs, offset] = cursorSchema.parse(parseJson(text));
    return { selection: { ...asked, fromMs, toMs }, offset };
  } catch (cause) {
    throw new GatewayError("request.invalid", "The cursor is not one of this list.", { cause });
  }
}
