import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { attachmentSchema } from "../../../src/core/attachment.ts";
import { createJudgePool } from "../../../src/guardrails/judge-pool.ts";
import { pii } from "../../../src/guardrails/pii/pii.ts";
import { systemClock } from "../../../src/kernel/clock.ts";
import { compileAttachment } from "../../../src/pipeline/compile-chain.ts";
import type { GuardrailPhase, TextSpan } from "../../../src/pipeline/define-guardrail.ts";
import type { LongTextJudge } from "../../../src/pipeline/long-texts.ts";
import { judgingLongTexts, longestHereUnits } from "../../../src/pipeline/long-texts.ts";
import { createRegistry } from "../../../src/pipeline/registry.ts";
import { buildTools } from "../../kit/exchange.ts";
import { guardedCall } from "../../kit/guarded-call.ts";

const config = {
  answers: { action: "redact" },
  names: ["Grace Hopper"],
  custom: [{ name: "berth", pattern: "B-\\d{5}", near: ["berth"] }],
};
/** Without personal data, and not all looked through quickly: each number may be one of a person. */
const ledger =
  "Lot 1234 5678 90 of 3,400 crates, 12.04.2025; ".repeat(3_000) + "Only words of the trade. ".repeat(36_000);
const letter = `ann@example.com, card 4111 1111 1111 1111, Grace Hopper, berth B-12345, ａnn＠example.com. ${ledger} bob@example.com`;
const span = (text: string, more: Partial<TextSpan> = {}): TextSpan => ({
  place: "messages[0].content",
  text,
  author: "user",
  ...more,
});

let pool: LongTextJudge;
beforeAll(() => {
  pool = createJudgePool({ clock: systemClock, threads: 1, timeLimitMs: 60_000 });
});
afterAll(() => pool[Symbol.asyncDispose]());

const here = (given: object) => pii.compile(pii.config.parse(given), buildTools());
const elsewhere = (given: object) => judgingLongTexts(here(given), { use: "pii", config: given, parts: false }, pool);

test.each<GuardrailPhase>(["request", "response"])(
  "a long %s is judged and masked as it would be in its own turn",
  async (phase) => {
    const spans = [span("cc ann@example.com and eve@example.com"), span(letter)];
    const verdict = elsewhere(config).inspect(spans, phase, guardedCall());
    expect(verdict).toBeInstanceOf(Promise);
    const expected = await here(config).inspect(spans, phase, guardedCall());
    expect(await verdict).toEqual(expected);
    expect(expected).toMatchObject({
      type: "rewrite",
      assessment: { found: { email: expect.any(Number), "credit-card": 1, name: 1, berth: 1 } },
    });
  },
  60_000,
);

test("what a long request hides is restored in a long answer", async () => {
  const call = guardedCall();
  const guardrail = elsewhere(config);
  await guardrail.inspect([span(letter)], "request", call);
  const answer = `${ledger}To [EMAIL_1], not to eve@example.com`;
  const verdict = await guardrail.inspect([span(answer)], "response", call);
  const at = ledger.length + 3;
  expect(verdict).toMatchObject({
    edits: [
      { start: at, end: at + 9, replacement: "ann@example.com" },
      { start: answer.length - 15, end: answer.length, replacement: "[redacted]" },
    ],
  });
}, 60_000);

test("the event loop is left to others while a megabyte is searched", async () => {
  expect(letter.length).toBeGreaterThan(1_000_000);
  const own = here(config);
  const guardrail = elsewhere(config);
  await guardrail.inspect([span("x".repeat(longestHereUnits + 1))], "request", guardedCall()); // the thread is there
  const timeOf = async (judge: () => unknown): Promise<number> => {
    const before = process.threadCpuUsage();
    await judge();
    const { user, system } = process.threadCpuUsage(before);
    return user + system;
  };
  await own.inspect([span(letter)], "request", guardedCall()); // and its patterns are compiled in this one
  const hereUs = await timeOf(() => own.inspect([span(letter)], "request", guardedCall()));
  const elsewhereUs = await timeOf(() => guardrail.inspect([span(letter)], "request", guardedCall()));
  expect(elsewhereUs).toBeLessThan(hereUs / 2);
}, 60_000);

test("an attachment has its long texts searched by the gateway's threads", async () => {
  const none = { policies: [], providers: [], strategies: [], adapters: [] };
  const registry = createRegistry({ ...none, guardrails: [pii], longTexts: pool });
  const search = vi.spyOn(pool, "search");
  onTestFinished(() => search.mockRestore());
  const attached = compileAttachment(
    attachmentSchema.parse({ use: "pii" }),
    "here",
    registry,
    buildTools(),
    (issue) => {
      throw new Error(issue.message);
    },
  );
  const verdict = await attached?.guardrail?.inspect([span(letter)], "request", guardedCall());
  expect(verdict).toEqual(await here({}).inspect([span(letter)], "request", guardedCall()));
  expect(search).toHaveBeenCalledOnce();
}, 60_000);

test("a long part of a stream is judged with what came before it", async () => {
  const call = guardedCall();
  const guardrail = elsewhere(config);
  const text = `${"x ".repeat(longestHereUnits)}ann@exa`;
  const first = guardrail.inspect([span(text, { part: { from: 0, goesOn: true } })], "response", call);
  expect(first).toEqual({ type: "pass" });
  const from = text.length - 128;
  const rest = `${text.slice(from)}mple.com.`;
  const second = await guardrail.inspect([span(rest, { part: { from, goesOn: false } })], "response", call);
  expect(second).toMatchObject({ edits: [{ start: 121, end: 136, replacement: "[redacted]" }] });
});

test("a long answer is not searched anywhere where nothing is looked for in answers", () => {
  const search = vi.spyOn(pool, "search");
  onTestFinished(() => search.mockRestore());
  expect(elsewhere({}).inspect([span(letter)], "response", guardedCall())).toEqual({ type: "pass" });
  expect(search).not.toHaveBeenCalled();
});
