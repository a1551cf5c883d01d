import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { guardrails } from "../../src/guardrails/index.ts";
import { createJudgePool } from "../../src/guardrails/judge-pool.ts";
import { regex } from "../../src/guardrails/regex.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import type { CompiledGuardrail, TextSpan } from "../../src/pipeline/define-guardrail.ts";
import type { LongTextJudge, LongTextQuestion } from "../../src/pipeline/long-texts.ts";
import { judgingLongTexts, longestHereUnits } from "../../src/pipeline/long-texts.ts";
import { buildTools } from "../kit/exchange.ts";
import { guardedCall } from "../kit/guarded-call.ts";
import { manualClock } from "../kit/manual-clock.ts";
import { trips } from "./trips.ts";

const config = { patterns: [{ pattern: "tiger-[0-9]", action: "redact" }] };
const span = (text: string): TextSpan => ({ place: "messages[0].content", text, author: "user" });
const question = (text: string, more: Partial<LongTextQuestion> = {}): LongTextQuestion => ({
  use: "regex",
  config,
  spans: [span(text)],
  phase: "request",
  operation: { kind: "chat", name: "m" },
  ...more,
});
const patience = new AbortController().signal;
const found = { type: "rewrite", edits: [{ span: 0, start: 0, end: 7, replacement: "[redacted]" }] };

describe("a pool of threads", () => {
  let pool: LongTextJudge;
  beforeEach(() => {
    pool = createJudgePool({ clock: systemClock, threads: 1, mostWaiting: 2 });
  });
  afterEach(() => pool[Symbol.asyncDispose]());

  test("gives the verdicts that the guardrail gives, in the order of the questions", async () => {
    const verdicts = await Promise.all([
      pool.judge(question("tiger-7"), patience),
      pool.judge(question("lion"), patience),
    ]);
    expect(verdicts).toMatchObject([found, { type: "pass" }]);
  });

  test("leaves the event loop to others while it judges a megabyte", async () => {
    await pool.judge(question("x"), patience); // the thread is there
    const own = compile();
    let calls = 0;
    const counting = {
      ...own,
      inspect: (...asked: Parameters<typeof own.inspect>) => ((calls += 1), own.inspect(...asked)),
    };
    const guardrail = judgingLongTexts(counting, { use: "regex", config, parts: true }, pool);
    const verdict = guardrail.inspect([span(`tiger-7${" a word".repeat(150_000)}`)], "request", guardedCall());
    expect(verdict).toBeInstanceOf(Promise);
    expect(await verdict).toMatchObject(found);
    expect(calls).toBe(0); // it was judged elsewhere
    await guardrail.inspect([span("tiger-7")], "request", guardedCall());
    expect(calls).toBe(1);
  });

  test("takes no more questions than may wait, and says so", async () => {
    const asked = [1, 2, 3].map(() => pool.judge(question("x"), patience));
    await expect(pool.judge(question("x"), patience)).rejects.toMatchObject({ code: "policy.failed" });
    await expect(Promise.all(asked)).resolves.toHaveLength(3);
  });

  test("does not judge what nobody waits for", async () => {
    const leaving = new AbortController();
    const first = pool.judge(question("x"), patience);
    const second = pool.judge(question("x"), leaving.signal);
    leaving.abort();
    await expect(second).rejects.toMatchObject({ code: "policy.failed" });
    await expect(pool.judge(question("x"), leaving.signal)).rejects.toMatchObject({ code: "policy.failed" });
    await expect(first).resolves.toEqual({ type: "pass" });
  });

  test("goes on after a question that breaks", async () => {
    await expect(pool.judge(question("x", { use: "nothing" }), patience)).rejects.toMatchObject({
      detail: expect.stringContaining("nothing"),
    });
    await expect(pool.judge(question("x"), patience)).resolves.toEqual({ type: "pass" });
  });

  test("refuses what waits when it is closed", async () => {
    const asked = [pool.judge(question("x"), patience), pool.judge(question("x"), patience)];
    const ended = Promise.allSettled(asked);
    await pool[Symbol.asyncDispose]();
    expect((await ended).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await expect(pool.judge(question("x"), patience)).rejects.toMatchObject({ code: "policy.failed" });
  });
});

test("a thread that does not come to an end is stopped, and the next question gets another one", async () => {
  const clock = manualClock();
  await using pool = createJudgePool({ clock, threads: 1, timeLimitMs: 1_000 });
  const slow = pool.judge(question("tiger-7 ".repeat(100_000)), patience);
  const waiting = pool.judge(question("x"), patience);
  const ended = Promise.allSettled([slow, waiting]);
  clock.advance(1_000);
  expect(await ended).toMatchObject([
    { status: "rejected", reason: { detail: expect.stringContaining("1000 ms") } },
    { status: "rejected" },
  ]);
  await expect(pool.judge(question("tiger-7"), patience)).resolves.toMatchObject(found);
});

test("a question that its asker has left goes on to its limit, and takes no thread beyond it", async () => {
  const clock = manualClock();
  const terminate = vi.spyOn(Worker.prototype, "terminate");
  onTestFinished(() => terminate.mockRestore());
  await using pool = createJudgePool({ clock, threads: 1, timeLimitMs: 1_000 });
  const leaving = new AbortController();
  const slow = pool.judge(question("tiger-7 ".repeat(100_000)), leaving.signal);
  leaving.abort();
  await expect(slow).rejects.toMatchObject({ detail: expect.stringContaining("nobody waits") });
  expect(terminate).not.toHaveBeenCalled(); // an asker who leaves costs no thread either
  clock.advance(1_000);
  expect(terminate).toHaveBeenCalledOnce();
  await expect(pool.judge(question("tiger-7"), patience)).resolves.toMatchObject(found);
});

test("a message of short texts is judged in its own turn", async () => {
  const nobody = {
    judge: () => Promise.reject(new Error("asked")),
    search: () => Promise.reject(new Error("asked")),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const guardrail = judgingLongTexts(compile(), { use: "regex", config, parts: true }, nobody);
  const long = "x".repeat(longestHereUnits);
  expect(guardrail.inspect([span(long)], "request", guardedCall())).toEqual({ type: "pass" });
  await expect(guardrail.inspect([span(long), span("y")], "request", guardedCall())).rejects.toThrow("asked");
});

const pure = guardrails.filter(({ isPure }) => isPure !== undefined);

test.each(pure)("$id, which says that it is pure, judges in a thread as it does here", async (plugin) => {
  const trip = trips[plugin.id];
  if (trip === undefined) throw new Error(`${plugin.id} has no text that trips it`);
  await using pool = createJudgePool({ clock: systemClock });
  const here = plugin.compile(plugin.config.parse(trip.with), buildTools());
  for (const text of [trip.caught, trip.fine ?? "fine"]) {
    const there = await pool.judge(question(text, { use: plugin.id, config: trip.with }), patience);
    expect(there).toEqual(await here.inspect([span(text)], "request", guardedCall()));
  }
});

function compile(): CompiledGuardrail {
  return regex.compile(regex.config.parse(config), buildTools());
}
