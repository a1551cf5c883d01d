import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { eventColumns } from "../../src/analytics/event-columns.ts";
import { createEventLineWriter, readEventLine } from "../../src/analytics/event-line.ts";
import type { AnalyticsEvent, AttemptEvent, ExchangeEvent } from "../../src/pipeline/event.ts";
import { attemptRow, exchangeRow } from "../kit/event-rows.ts";
import { lineOf } from "../kit/line-of.ts";

const text = fc.oneof(
  fc.constantFrom("a", "b", "ok"),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.string({ maxLength: 90 }),
);
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: null });
const measure = fc.oneof(
  fc.constantFrom(0, 0.5, 1.234),
  fc.nat(9_999_999).map((micros) => micros / 1_000),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 }),
);
const columns = {
  exchange_id: text,
  operation_id: text,
  trace_id: maybe(text),
  node: text,
  config_hash: text,
  api_id: text,
  api_revision: fc.nat(3),
  key_id: maybe(text),
  environment: maybe(fc.constantFrom("production" as const, "sandbox" as const)),
  http_status: fc.constantFrom(200, 404),
  operation_name: text,
  stream: fc.boolean(),
  error_code: maybe(text),
  error_detail: maybe(text),
  input_tokens: maybe(fc.nat()),
  duration_ms: measure,
  upstream_ms: maybe(measure),
  decisions: fc.array(
    fc.record({
      policy: text,
      place: text,
      step: text,
      action: fc.constant("deny" as const),
      mode: fc.constant("monitor" as const),
      detail: text,
    }),
    { maxLength: 2 },
  ),
  cost: maybe(fc.constantFrom("0.000125", "12.50")),
  cost_source: maybe(fc.constantFrom("actual" as const, "unknown" as const)),
  fields: fc
    .dictionary(
      fc.oneof(fc.constantFrom("era", "method"), text),
      fc.oneof(maybe(text), fc.boolean(), measure, fc.array(text, { maxLength: 3 })),
    )
    .map((found) => ({ ...found })),
};
const events: fc.Arbitrary<AnalyticsEvent> = fc.oneof(
  fc.record(columns).map((over: Partial<ExchangeEvent>) => exchangeRow(1, over)),
  fc
    .record({
      exchange_id: text,
      operation_id: text,
      error_code: maybe(text),
      target: text,
      model: maybe(text),
      status: maybe(fc.nat(599)),
      attempt: fc.nat(4),
      duration_ms: maybe(measure),
      key_id: maybe(text),
      team_id: text,
      environment: maybe(fc.constantFrom("production" as const, "sandbox" as const)),
      application_id: maybe(text),
      audio_output_tokens: maybe(fc.nat()),
      service_tier: maybe(text),
      cost: maybe(fc.constantFrom("0.000125", "12.50")),
      labels: fc.dictionary(fc.constantFrom("project", "cost-centre"), text).map((found) => ({ ...found })),
    })
    .map((over: Partial<AttemptEvent>) => attemptRow(1, over)),
);

const pageBytes = 65_536;

/** The line as JSON's own writer has it. */
function plainLine(event: AnalyticsEvent): string {
  const json = JSON.stringify(Object.values(event));
  return `${json.replace(/[\x7f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`)}\n`;
}

describe("a line", () => {
  test("gives its event again, whatever the writer has kept of others", () => {
    fc.assert(
      fc.property(fc.array(events, { maxLength: 12 }), (recorded) => {
        const page = Buffer.alloc(pageBytes);
        const write = createEventLineWriter();
        const lines = recorded.map((event) => page.toString("latin1", 9, write(event, page, 9)));
        expect(lines.map(readEventLine)).toEqual(recorded);
        expect(lines).toEqual(recorded.map(plainLine));
      }),
    );
  });

  test("that has no room says how long it is, and leaves what lies before it", () => {
    fc.assert(
      fc.property(fc.array(events, { minLength: 1, maxLength: 6 }), fc.nat(400), (recorded, room) => {
        const write = createEventLineWriter();
        const [small, large] = [Buffer.alloc(9 + room, "#"), Buffer.alloc(pageBytes)];
        for (const event of recorded) {
          const end = write(event, small, 9);
          expect(small.toString("latin1", 0, 9)).toBe("#".repeat(9));
          expect(end).toBe(9 + plainLine(event).length);
          expect(large.toString("latin1", 0, write(event, large, 0))).toBe(plainLine(event));
        }
      }),
    );
  });

  test.each([
    exchangeRow(1, { application_id: "app_1", plan_id: "plan_1", error_code: "x" }),
    attemptRow(1, { error_code: "x" }),
  ])("is its own when one column differs from an event before ($type)", (row) => {
    const write = createEventLineWriter();
    const page = Buffer.alloc(pageBytes);
    const neverNull = ["type", "decisions", "fields", "labels"];
    for (const name of Object.keys(row).filter((column) => !neverNull.includes(column))) {
      const other = { ...row, [name]: null } as AnalyticsEvent; // also where the type has no null: it is a difference
      for (const event of [row, other, row]) {
        expect(page.toString("latin1", 0, write(event, page, 0))).toBe(plainLine(event));
      }
    }
  });

  test("is one line of ASCII", () => {
    fc.assert(
      fc.property(events, (event) => {
        expect(lineOf(event)).toMatch(/^[ -~]+\n$/);
      }),
    );
  });

  test("keeps every column of each table, in the order that spools on disk have", () => {
    expect(lineOf(attemptRow(1, { status: null }))).toBe(
      `["attempt",1768478400001,"01900000-0000-7000-8000-000000000001","01900000-0000-7000-8000-000000000001",1,"${"c".repeat(64)}","llm_1","openai","openai-compatible","small",null,null,6,8,"team_1","chat","production","key_1",null,3,5,null,null,null,null,null,null,"actual",null,null,"0.000125","USD","actual",{}]\n`,
    );
    const { type: _, ...members } = exchangeRow(1);
    expect(eventColumns.exchanges).toEqual(Object.keys(members));
  });

  test("has null for a number that JSON does not have", () => {
    const line = lineOf(exchangeRow(1, { duration_ms: Number.NaN, input_tokens: Number.POSITIVE_INFINITY }));
    expect(readEventLine(line)).toMatchObject({ duration_ms: null, input_tokens: null });
  });
});

test.each(["", "{}", "[]", "null", '["exit",1,2]', '["attempt"', '["exchange",17'])("%j is no event", (line) => {
  expect(readEventLine(line)).toBeUndefined();
});

test("a line of an earlier version, which has fewer columns, has null for the others", () => {
  expect(readEventLine('["attempt",17,"e","o",1]')).toMatchObject({ type: "attempt", ts: 17, attempt: 1, model: null });
});
