import { expect, test } from "vitest";
import { createLogExporter } from "../../../src/analytics/otlp/log-exporter.ts";
import { exchangeRow } from "../../kit/event-rows.ts";
import { otlpWay, placeInTrace, startOtlpCollector } from "../../kit/otlp-collector.ts";

const denied = exchangeRow(2, { outcome: "denied", error_code: "limit.exceeded", http_status: 429 });
const broken = exchangeRow(3, { outcome: "failed", error_code: "server.failed", http_status: 500 });
const toolError = exchangeRow(4, { fields: { method: "tools/call", is_error: true, error_type: "tool_error" } });

/** What a collector gets of the events. */
async function recordsOf(which: "failures" | "all") {
  await using collector = await startOtlpCollector();
  const way = otlpWay(collector.url);
  await using _fetch = way.fetch;
  const exporter = createLogExporter({ ...way, which });
  for (const event of [exchangeRow(1), { ...denied, trace: placeInTrace() }, broken, toolError])
    exporter.record(event, event);
  await exporter[Symbol.asyncDispose]();
  const [body] = collector.bodies("logs") as [
    { resourceLogs: [{ scopeLogs: [{ logRecords: Record<string, unknown>[] }] }] }, // a receiver trusts the types
  ];
  return body.resourceLogs[0].scopeLogs[0].logRecords;
}

test("what did not end well is told with how grave it is, and with its span", async () => {
  expect(await recordsOf("failures")).toMatchObject([
    {
      timeUnixNano: `${denied.ts + 10}000000`,
      severityNumber: 9,
      body: { stringValue: "exchange denied" },
      traceId: "a".repeat(32),
      spanId: "b".repeat(16),
      attributes: expect.arrayContaining([
        { key: "error.type", value: { stringValue: "limit.exceeded" } },
        { key: "http.response.status_code", value: { intValue: "429" } },
      ]),
    },
    { severityNumber: 17, severityText: "ERROR" },
    { severityNumber: 13, body: { stringValue: "exchange" } },
  ]);
});

test("all operations are told where that is wanted", async () => {
  expect(await recordsOf("all")).toHaveLength(4);
});
