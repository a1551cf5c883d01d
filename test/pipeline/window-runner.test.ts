import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GatewayError } from "../../src/kernel/errors.ts";
import { linearRegex } from "../../src/kernel/safe-regex.ts";
import type { CompiledGuardrail, SpanEdit, StreamWindow } from "../../src/pipeline/define-guardrail.ts";
import type { Exchange, Frame } from "../../src/pipeline/exchange.ts";
import type { Attachment } from "../../src/pipeline/snapshot.ts";
import { guardStream } from "../../src/pipeline/window-runner.ts";
import { attach, buildExchange, buildOperation } from "../kit/exchange.ts";
import { edited, textFrame, textOf } from "../kit/text-adapter.ts";

/** The words that the guardrails of these tests look for; none is longer than the overlap. */
const boundedWords = linearRegex("aa|abba|b{1,3}c|x");
const longestWord = 5;

describe("a stream", () => {
  test("comes out as the whole text rewritten, however it is cut", async () => {
    await fc.assert(
      fc.asyncProperty(cutTexts, windows, async ({ text, frames }, window) => {
        const { passed, error } = await collect(frames, [attach(redactor(window))]);
        expect(error).toBeUndefined();
        expect(textOf(passed)).toBe(rewritten(text));
      }),
      { numRuns: 500 },
    );
  });

  test("comes out as two guardrails would rewrite it one after the other", async () => {
    const stars: CompiledGuardrail = {
      phases: ["response"],
      window: { size: 9, overlap: 4 },
      inspect: ([span]) => edits(linearRegex("\\*b").findAll(span?.text ?? ""), "#"),
    };
    await fc.assert(
      fc.asyncProperty(cutTexts, async ({ text, frames }) => {
        const { passed } = await collect(frames, [attach(redactor({ size: 8, overlap: 5 })), attach(stars)]);
        expect(textOf(passed)).toBe(rewritten(text).replaceAll("*b", "#"));
      }),
      { numRuns: 200 },
    );
  });

  test("never lets a forbidden word out, nor a letter of it, however it is cut", async () => {
    await fc.assert(
      fc.asyncProperty(cutTexts, windows, async ({ text, frames }, window) => {
        const { passed, error } = await collect(frames, [attach(denier(window))]);
        const firstMatch = boundedWords.findAll(text)[0]?.[0];
        if (firstMatch === undefined) {
          expect(error).toBeUndefined();
          expect(passed).toEqual(frames);
          return;
        }
        expect(error).toMatchObject({ code: "guardrail.denied", message: "Not that word." });
        expect(text.slice(0, firstMatch).startsWith(textOf(passed))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test("passes as the same objects, in order, when nothing is found", async () => {
    await fc.assert(
      fc.asyncProperty(cutTexts, windows, async ({ frames }, window) => {
        const { passed } = await collect(frames, [attach({ ...redactor(window), inspect: () => ({ type: "pass" }) })]);
        expect(passed.length).toBe(frames.length);
        expect(passed.every((frame, index) => frame === frames[index])).toBe(true);
      }),
    );
  });

  test("is held back by the window and no more", async () => {
    const frames = Array.from({ length: 500 }, (_, index) => textFrame(["text", index % 7 === 0 ? " " : "d"]));
    let most = 0;
    let pulled = 0;
    let out = 0;
    const source = pull(frames, () => (pulled += 1));
    for await (const _frame of guardStream(source, guards([attach(denier({ size: 40, overlap: 10 }))]))) {
      out += 1;
      most = Math.max(most, pulled - out);
    }
    expect(out).toBe(500);
    expect(most).toBeLessThanOrEqual(40);
  });

  test("takes no word that a border cuts for another", async () => {
    const assistant = "the assistant passes classes to an assessor ".repeat(20);
    const whole: CompiledGuardrail = {
      phases: ["response"],
      window: { size: 30, overlap: 12 },
      inspect: ([span]) =>
        linearRegex("\\b(ass|or|is)\\b").test(span?.text ?? "") ? { type: "deny", reason: "no" } : { type: "pass" },
    };
    await fc.assert(
      fc.asyncProperty(cutsOf(assistant), async (frames) => {
        expect((await collect(frames, [attach(whole)])).error).toBeUndefined();
      }),
      { numRuns: 50 },
    );
  });

  test("keeps characters beyond the basic plane whole", async () => {
    const smiles = linearRegex("\u{1f600}");
    const guardrail: CompiledGuardrail = {
      phases: ["response"],
      window: { size: 3, overlap: 2 },
      inspect: ([span]) => edits(smiles.findAll(span?.text ?? ""), ":)"),
    };
    const frames = [..."a\u{1f600}\u{1f600}b\u{1f600}"].flatMap((char) =>
      char.split("").map((unit) => textFrame(["text", unit])),
    );
    expect(textOf((await collect(frames, [attach(guardrail)])).passed)).toBe("a:):)b:)");
  });
});

describe("an edit that spans frames", () => {
  test("puts its replacement into the first and is cut out of the rest", async () => {
    const frames = ["one se", "cre", "t two"].map((text) => textFrame(["text", text]));
    const { passed } = await collect(frames, [attach(redactor({ size: 20, overlap: 8 }, linearRegex("secret")))]);
    expect(passed.map((frame) => textOf([frame]))).toEqual(["one *", "", " two"]);
  });

  test("may insert without taking anything away", async () => {
    const marker: CompiledGuardrail = {
      phases: ["response"],
      window: { size: 4, overlap: 1 },
      inspect: ([span]) => {
        const at = span?.text.indexOf("!") ?? -1;
        return at < 0
          ? { type: "pass" }
          : { type: "rewrite", edits: [{ span: 0, start: at, end: at, replacement: " indeed" }] };
      },
    };
    for (const cut of [["Yes! And no."], ["Yes", "! And no."], [..."Yes! And no."]]) {
      const { passed } = await collect(
        cut.map((text) => textFrame(["text", text])),
        [attach(marker)],
      );
      expect(textOf(passed)).toBe("Yes indeed! And no.");
    }
  });
});

describe("several channels", () => {
  test("are judged each by itself, and their frames keep the order", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom("one", "two"), letters(6)), { maxLength: 40 }),
        async (said) => {
          const frames = said.map((entry) => textFrame(entry));
          const { passed } = await collect(frames, [attach(redactor({ size: 200, overlap: 5 }))]);
          expect(passed.length).toBe(frames.length);
          for (const channel of ["one", "two"]) {
            expect(textOf(passed, channel)).toBe(rewritten(textOf(frames, channel)));
          }
        },
      ),
    );
  });

  test("of which one falls silent do not hold back the others without end", async () => {
    const silent = [textFrame(["silent", "se"])];
    const busy = Array.from({ length: 3_000 }, () => textFrame(["busy", "word "]));
    let pulled = 0;
    let out = 0;
    let most = 0;
    const source = pull([...silent, ...busy], () => (pulled += 1));
    const guardrail = denier({ size: 50, overlap: 20 }, linearRegex("secret"));
    for await (const _frame of guardStream(source, guards([attach(guardrail)]))) {
      out += 1;
      most = Math.max(most, pulled - out);
    }
    expect(out).toBe(3_001);
    expect(most).toBeLessThan(120);
  });

  test("let no forbidden word out whole, though another channel pushed its first half out", async () => {
    const frames = [
      textFrame(["silent", "se"]),
      ...Array.from({ length: 3_000 }, () => textFrame(["busy", "word "])),
      textFrame(["silent", "cret"]),
    ];
    const denied = await collect(frames, [attach(denier({ size: 50, overlap: 20 }, linearRegex("secret")))]);
    expect(denied.error).toMatchObject({ code: "guardrail.denied" });
    expect(textOf(denied.passed, "silent")).toBe("se");

    const redacted = await collect(frames, [attach(redactor({ size: 50, overlap: 20 }, linearRegex("secret")))]);
    expect(textOf(redacted.passed, "silent")).toBe("se*");
  });
});

describe("frames without text", () => {
  test("pass at once when nothing is held, and in their place when something is", async () => {
    const heartbeat = textFrame();
    const word = textFrame(["text", "word"]);
    const seen: Frame[] = [];
    const source = pull([heartbeat, word, heartbeat], () => seen.length);
    for await (const frame of guardStream(source, guards([attach(denier({ size: 8, overlap: 2 }))]))) seen.push(frame);
    expect(seen).toEqual([heartbeat, word, heartbeat]);
  });

  test("that come without end do not pile up behind a held word", async () => {
    const frames = [textFrame(["text", "w"]), ...Array.from({ length: 5_000 }, () => textFrame())];
    let pulled = 0;
    let out = 0;
    let most = 0;
    for await (const _frame of guardStream(
      pull(frames, () => (pulled += 1)),
      guards([attach(denier({ size: 100, overlap: 20 }))]),
    )) {
      out += 1;
      most = Math.max(most, pulled - out);
    }
    expect(out).toBe(5_001);
    expect(most).toBeLessThan(500);
  });
});

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
    await read().catch((error: unknown) => expect(error).toMatchObject({ code: "guardrail.denied" }));
    expect(closed).toBe(true);
  });
});

function letters(maxLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(..."aaabbbccdx "), maxLength });
}

/** A text in frames that carry any cut of it, empty pieces and heartbeats among them. */
const cutTexts = letters(80).chain((text) => cutsOf(text).map((frames) => ({ text, frames })));

function cutsOf(text: string): fc.Arbitrary<Frame[]> {
  return fc.array(fc.nat({ max: text.length }), { maxLength: 40 }).chain((cuts) => {
    const ends = [...cuts.toSorted((left, right) => left - right), text.length];
    const pieces = ends.map((end, index) => text.slice(ends[index - 1] ?? 0, end));
    return fc
      .array(fc.boolean(), { minLength: pieces.length, maxLength: pieces.length })
      .map((beats) =>
        pieces.flatMap((piece, index) => [textFrame(["text", piece]), ...(beats[index] ? [textFrame()] : [])]),
      );
  });
}

const windows = fc
  .tuple(fc.integer({ min: longestWord, max: 12 }), fc.integer({ min: 1, max: 20 }))
  .map(([overlap, more]): StreamWindow => ({ size: overlap + more, overlap }));

function redactor(window: StreamWindow, pattern = boundedWords): CompiledGuardrail {
  return {
    phases: ["response"],
    window,
    inspect: ([span]) => edits(pattern.findAll(span?.text ?? ""), "*"),
  };
}

function denier(window: StreamWindow, pattern = boundedWords): CompiledGuardrail {
  return {
    phases: ["response"],
    window,
    inspect: ([span]) =>
      pattern.test(span?.text ?? "") ? { type: "deny", reason: "Not that word." } : { type: "pass" },
  };
}

function edits(ranges: readonly (readonly [number, number])[], replacement: string) {
  if (ranges.length === 0) return { type: "pass" } as const;
  return {
    type: "rewrite",
    edits: ranges.map(([start, end]): SpanEdit => ({ span: 0, start, end, replacement })),
  } as const;
}

function rewritten(text: string): string {
  return edited(
    text,
    boundedWords.findAll(text).map(([start, end]) => ({ span: 0, start, end, replacement: "*" })),
  );
}

async function* pull(frames: readonly Frame[], onPull: () => unknown = () => undefined): AsyncGenerator<Frame> {
  for (const frame of frames) {
    onPull();
    yield await Promise.resolve(frame);
  }
}

function guards(attachments: readonly Attachment[], exchange: Exchange = buildExchange()) {
  return { exchange, operation: buildOperation({ stream: true }), attachments };
}

async function collect(
  frames: readonly Frame[] | AsyncIterable<Frame>,
  attachments: readonly Attachment[],
): Promise<{ passed: Frame[]; error: unknown; exchange: Exchange }> {
  const exchange = buildExchange();
  const passed: Frame[] = [];
  try {
    const source = Symbol.asyncIterator in frames ? frames : pull(frames);
    for await (const frame of guardStream(source, guards(attachments, exchange))) passed.push(frame);
    return { passed, error: undefined, exchange };
  } catch (error) {
    return { passed, error, exchange };
  }
}
