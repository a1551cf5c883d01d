import type { AnalyticsReader, Selection } from "../../src/analytics/analytics-reader.ts";
import type { Granularity, Question } from "../../src/analytics/questions/define-question.ts";
import { questions } from "../../src/analytics/questions/index.ts";

/** One thing that a dashboard asks. */
export interface Asked {
  readonly name: string;
  ask(reader: AnalyticsReader, selection: Selection): Promise<unknown>;
}

const limit = 20;
const hourMs = 3_600_000;

/** Parameters of questions that a dashboard asks with, beside those that are their defaults. */
const variants: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>> = {
  "heat-map": [{ timeZone: "UTC" }],
  "session-timeline": [],
  "spend-forecast": [{ by: "team" }, { by: "key" }],
  "top-consumers": [{ by: "application" }, { by: "key" }],
  unused: [{ of: "tool" }, { of: "key" }],
};

/** Everything that a dashboard asks, but for the timeline of one session, which needs to be told a session. */
export const asked: readonly Asked[] = [
  { name: "exchanges", ask: (reader, selection) => reader.exchanges(selection, { limit }) },
  { name: "traffic", ask: (reader, selection) => reader.traffic(selection, stepSeconds(selection)) },
  { name: "errors", ask: (reader, selection) => reader.errors(selection, limit) },
  { name: "latency", ask: (reader, selection) => reader.latency(selection, limit) },
  { name: "top-models", ask: (reader, selection) => reader.topModels(selection, limit) },
  { name: "top-tools", ask: (reader, selection) => reader.topTools(selection, limit) },
  { name: "routing-shadow", ask: (reader, selection) => reader.routingShadow(selection, limit) },
  ...(["team", "api", "application", "model"] as const).map((groupBy) => ({
    name: `costs by ${groupBy}`,
    ask: (reader: AnalyticsReader, selection: Selection) =>
      reader.costs(selection, { groupBy, granularity: step(selection) === "day" ? "day" : "hour", limit }),
  })),
  ...questions.flatMap((question) =>
    (variants[question.id] ?? [{}]).map((params) => ({
      name: [question.id, ...Object.values(params)].join(" "),
      ask: (reader: AnalyticsReader, selection: Selection) =>
        reader.ask(question, selection, { params, granularity: step(selection), limit: 1_000 }),
    })),
  ),
];

/** The timeline of the session that was used last. */
export async function lastSession(reader: AnalyticsReader, selection: Selection): Promise<Asked> {
  const request = { params: {}, granularity: "total", limit: 1 } as const;
  const { rows } = await reader.ask(questionOf("sessions"), selection, request);
  const params = { session: String(rows[0]?.["session"]) };
  const timeline = questionOf("session-timeline");
  return { name: timeline.id, ask: (to, range) => to.ask(timeline, range, { ...request, params, limit: 100 }) };
}

function questionOf(id: string): Question {
  const question = questions.find((one) => one.id === id);
  if (question === undefined) throw new Error(`no question is ${id}`);
  return question;
}

/** A chart has some hundred steps: of an hour up to a week, of a day for more. */
function step({ fromMs, toMs }: Selection): Granularity {
  return toMs - fromMs > 7 * 24 * hourMs ? "day" : "hour";
}

function stepSeconds(selection: Selection): number {
  return step(selection) === "day" ? 86_400 : 3_600;
}
