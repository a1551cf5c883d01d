import { afterAll, beforeAll, expect, test } from "vitest";
import { explainExchange } from "../../../src/analytics/explain-exchange.ts";
import { createEventStore } from "../../../src/store/clickhouse/create-event-store.ts";
import { createExchangeFinder } from "../../../src/store/clickhouse/questions/create-exchange-finder.ts";
import type { TestEngine } from "../../kit/embedded-clickhouse.ts";
import { describeWithEngine, startTestEngine } from "../../kit/embedded-clickhouse.ts";
import { attemptRow, exchangeRow, uuidOf } from "../../kit/event-rows.ts";
import { lineOf } from "../../kit/line-of.ts";

const decision = {
  policy: "pii",
  place: "llm_1/policies[0]",
  step: "request",
  action: "rewrite",
  mode: "enforce",
} as const;

describeWithEngine("an exchange and what is kept of it", () => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = startTestEngine();
    const store = createEventStore(engine.session);
    const signal = new AbortController().signal;
    const events = [exchangeRow(1, { decisions: [decision] }), exchangeRow(2)].map((row) =>
      lineOf(row).replace('"exchange",', ""),
    );
    const tries = [attemptRow(1), attemptRow(2)].map((row) => lineOf(row).replace('"attempt",', ""));
    const rest = { count: 2, token: "all", skipUnreadable: false } as const;
    await store.insert({ table: "exchanges", rows: Buffer.from(events.join("")), ...rest }, signal);
    await store.insert({ table: "attempts", rows: Buffer.from(tries.join("")), ...rest }, signal);
    await store.putSnapshot("c".repeat(64), '{"apis":[],"supporting":[]}', 1, signal);
  }, 120_000);
  afterAll(() => engine[Symbol.asyncDispose]());

  test("are its rows, its tries and its configuration, and nothing of another", async () => {
    const found = await createExchangeFinder(engine.session).find(uuidOf(1), undefined);
    expect(found?.rows.map(({ exchange_id: id }) => id)).toEqual([uuidOf(1)]);
    expect(found?.attempts).toEqual([
      expect.objectContaining({ operation_id: uuidOf(1), target: "openai", error_code: null }),
    ]);
    expect(found?.document).toBe('{"apis":[],"supporting":[]}');
    const explained = found && explainExchange(found);
    expect(explained?.operations[0]?.steps.find(({ step }) => step === "request")).toMatchObject({
      summary: "Let through, changed by 1.",
      decisions: [{ policy: "pii", action: "rewrite", code: null }],
    });
  });

  test("is there for its team only", async () => {
    const finder = createExchangeFinder(engine.session);
    expect(await finder.find(uuidOf(1), ["team_1", "team_2"])).toBeDefined();
    for (const teams of [[], ["team_2"], ["team_"], ["team_1'] OR 1 = 1 --"], [""]]) {
      expect(await finder.find(uuidOf(1), teams)).toBeUndefined();
    }
  });

  test.each([uuidOf(3), "4e8f0b1e-3c41-4b9c-9b0a-000000000001", "x", "", "' OR 1 = 1 --"])(
    "%j is not there",
    async (id) => {
      expect(await createExchangeFinder(engine.session).find(id, undefined)).toBeUndefined();
    },
  );
});
