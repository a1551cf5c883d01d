import fc from "fast-check";
import { expect, test } from "vitest";
import { createBlockBuffers } from "../../src/analytics/block-buffers.ts";
import { keyedRows, splitRows } from "../../src/analytics/split-rows.ts";
import type { CaptureEvent } from "../../src/pipeline/event.ts";
import { attemptRow, exchangeRow, uuidOf } from "../kit/event-rows.ts";
import { lineOf } from "../kit/line-of.ts";

// One for all: what an earlier block has left in the memory must not show.
const buffers = createBlockBuffers(65_536);

function captured(number: number, request: string): CaptureEvent {
  const { ts, exchange_id, operation_id, team_id, api_id, api_name, environment, application_id } = exchangeRow(number);
  const owner = { team_id, api_id, api_name, environment, application_id };
  const texts = { kept_days: 7, request, response: "[]", is_cut: false, redactions: 0 };
  return { type: "capture", ts, exchange_id, operation_id, ...owner, ...texts };
}

const line = fc.oneof(
  fc.tuple(fc.constant("exchanges"), fc.nat(), fc.string()).map(([table, number, text]) => ({
    table,
    text: lineOf(exchangeRow(number, { error_detail: text })),
  })),
  fc.nat().map((number) => ({ table: "attempts", text: lineOf(attemptRow(number)) })),
  fc
    .tuple(fc.nat(), fc.string())
    .map(([number, text]) => ({ table: "captures", text: lineOf(captured(number, text)) })),
  fc
    .constantFrom("", "{}", '["exit",1]', '["a', '["attempt"', "e")
    .map((text) => ({ table: "none", text: `${text}\n` })),
);

test("every line goes to its table without its type, in order, and the others are counted", () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 40 }), (lines) => {
      const { tables, unknown } = splitRows(Buffer.from(lines.map(({ text }) => text).join("")), buffers);
      for (const name of ["exchanges", "attempts", "captures"]) {
        const own = lines.filter(({ table }) => table === name);
        const found = tables.find(({ table }) => table === name);
        expect(found?.rows.toString("utf8") ?? "").toBe(own.map(({ text }) => text.replace(/"[a-z]+",/, "")).join(""));
        expect(found?.count ?? 0).toBe(own.length);
      }
      expect(unknown).toBe(lines.filter(({ table }) => table === "none").length);
    }),
  );
});

test("a row is known by its exchange and operation, a try by its exchange and number", () => {
  const texts = lineOf({ ...captured(5, "[]"), operation_id: uuidOf(6) });
  const text = lineOf(exchangeRow(1, { operation_id: uuidOf(2) })) + lineOf(attemptRow(3, { attempt: 4 })) + texts;
  const keys = splitRows(Buffer.from(text), buffers).tables.flatMap((rows) => keyedRows(rows).map(({ key }) => key));
  expect(keys).toEqual([
    { exchangeId: uuidOf(1), part: uuidOf(2), ts: exchangeRow(1).ts },
    { exchangeId: uuidOf(3), part: "4", ts: attemptRow(3).ts },
    { exchangeId: uuidOf(5), part: uuidOf(6), ts: exchangeRow(5).ts },
  ]);
});
