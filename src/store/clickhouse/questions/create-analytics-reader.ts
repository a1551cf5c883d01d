import type { AnalyticsReader } from "../../../analytics/analytics-reader.ts";
import type { ClickHouseSession } from "../clickhouse-session.ts";
import { askQuestion, exportQuestion } from "./ask-question.ts";
import { costs } from "./costs.ts";
import { errors } from "./errors.ts";
import { exchanges } from "./exchanges.ts";
import { latency } from "./latency.ts";
import { routingShadow } from "./routing-shadow.ts";
import { topModels } from "./top-models.ts";
import { topTools } from "./top-tools.ts";
import { traffic } from "./traffic.ts";

/** The questions, asked of ClickHouse. */
export function createAnalyticsReader(session: ClickHouseSession): AnalyticsReader {
  return {
    exchanges: (selection, page) => exchanges(session, selection, page),
    traffic: (selection, stepSeconds) => traffic(session, selection, stepSeconds),
    errors: (selection, limit) => errors(session, selection, limit),
    latency: (selection, limit) => latency(session, selection, limit),
    topModels: (selection, limit) => topModels(session, selection, limit),
    topTools: (selection, limit) => topTools(session, selection, limit),
    costs: (selection, request) => costs(session, selection, request),
    ask: (question, selection, request) => askQuestion(session, question, selection, request),
    askAs: (format, question, selection, request) => exportQuestion(session, format, question, selection, request),
    routingShadow: (selection, limit) => routingShadow(session, selection, limit),
  };
}
