import { describe, expect, test } from "vitest";
import { GatewayError } from "../../src/kernel/errors.ts";
import type { CompiledGuardrail } from "../../src/pipeline/define-guardrail.ts";
import type { Frame } from "../../src/pipeline/exchange.ts";
import { guardStream } from "../../src/pipeline/window-runner.ts";
import { attach } from "../kit/exchange.ts";
import { collect, denier, guards, pull, redactor } from "../kit/stream-guards.ts";
import { textFrame } from "../kit/text-adapter.ts";

describe("monitor mode", () => {
  test("passes everything at once, as it is, and notes once what it would have done", async () => {
    const frames = ["x and ", "more x ", "and x again ".repeat(5)].map((text) => textFrame(["text", text]));
    for (const guardrail of [denier({ size: 10, overlap: 4 }), redactor({ size: 10, overlap: 4 })]) {
      const { passed, error, exchange } = await collect(frames, [attach(guardrail, { mode: "monitor" })]);
      expect(error).toBeUndefined();
      expect(passed.every((frame, index) => frame === frames[index])).toBe(true);
      expect(exchange.decisions).toHaveLength(1);
      expect(exchange.decisions[0]).toMatchObject({ mode: "monitor", step: "response" });
    }
  });

  test("hands each frame on before the next is asked for", async () => {
    let pulled = 0;
    const source = pull(
      ["a", "b", "c"].map((text) => textFrame(["text", text])),
      () => (pulled += 1),
    );
    let out = 0;
    const monitored = guards([attach(denier({ size: 10, overlap: 4 }), { mode: "monitor" })]);
    for await (const _frame of guardStream(source, monitored)) {
      out += 1;
      expect(pulled).toBe(out);
    }
    expect(out).toBe(3);
  });
});

describe("a guardrail that breaks", () => {
  const broken: CompiledGuardrail = {
    phases: ["response"],
    window: { size: 4, overlap: 1 },
    inspect: () => Promise.reject(new Error("the classifier is away")),
  };
  const frames = [textFrame(["text", "some text"])];

  test("stops the stream when it is set to deny", async () => {
    const { passed, error, exchange } = await collect(frames, [attach(broken)]);
    expect(error).toMatchObject({ code: "policy.failed" });
    expect(passed).toEqual([]);
    expect(exchange.decisions).toMatchObject([{ action: "error", code: "policy.failed" }]);
  });

  test("lets it pass and notes that when it is set to continue", async () => {
    const { passed, error, exchange } = await collect(frames, [attach(broken, { onError: "continue" })]);
    expect(error).toBeUndefined();
    expect(passed).toEqual(frames);
    expect(exchange.decisions).toMatchObject([{ action: "error" }]);
  });

  test("is one whose edits do not fit the text", async () => {
    const wrong: CompiledGuardrail = {
      ...broken,
      inspect: () => ({ type: "rewrite", edits: [{ span: 0, start: 2, end: 99, replacement: "" }] }),
    };
    expect((await collect(frames, [attach(wrong)])).error).toMatchObject({ code: "policy.failed" });
  });

  test("is one without a window, even when it is set to continue", () => {
    const blind: CompiledGuardrail = { phases: ["response"], inspect: () => ({ type: "pass" }) };
    expect(() => guardStream(pull(frames), guards([attach(blind, { onError: "continue" })]))).toThrow(GatewayError);
  });
});

describe("the source", () => {
  const reset = new GatewayError("upstream.reset", "The upstream closed the connection.");

  async function* breaksAfter(frames: readonly Frame[]): AsyncGenerator<Frame> {
    yield* frames;
    throw reset;
  }

  test("that breaks off is reported after what it sent was judged and handed on", async () => {
    const frames = [textFrame(["text", "half an ans"])];
    const { passed, error } = await collect(breaksAfter(frames), [attach(denier({ size: 50, overlap: 20 }))]);
    expect(passed).toEqual(frames);
    expect(error).toBe(reset);
  });

  test("that breaks off behind a forbidden word is a refusal", async () => {
    const { passed, error } = await collect(breaksAfter([textFrame(["text", "d x"])]), [
      attach(denier({ size: 50, overlap: 20 })),
    ]);
    expect(passed).toEqual([]);
    expect(error).toMatchObject({ code: "guardrail.denied" });
  });

  test.each([
    { name: "is closed when the reader goes away", text: "dd ", readUpTo: 1 },
    { name: "is closed at a refusal", text: "x ", readUpTo: 100 },
  ])("$name", async ({ text, readUpTo }) => {
    let closed = false;
    async function* source(): AsyncGenerator<Frame> {
      try {
        for (;;) yield textFrame(["text", text]);
      } finally {
        closed = true;
      }
    }
    const read = async (): Promise<void> => {
      let out = 0;
      for await (const _frame of guardStream(source(), guards([attach(denier({ size: 6, overlap: 2 }))]))) {
        out += 1;
        if (out >= readUpTo) break;
      }
    };
    await read().catch(() => undefined);
    expect(closed).toBe(true);
  });
});
