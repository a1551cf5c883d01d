import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GatewayError } from "../../src/kernel/errors.ts";
import { linearRegex } from "../../src/kernel/safe-regex.ts";
import type { CompiledGuardrail } from "../../src/pipeline/define-guardrail.ts";
import type { Frame } from "../../src/pipeline/exchange.ts";
import { guardStream } from "../../src/pipeline/window-runner.ts";
import { attach } from "../kit/exchange.ts";
import {
  boundedWords,
  collect,
  cutsOf,
  cutTexts,
  denier,
  edits,
  guards,
  letters,
  pull,
  redactor,
  rewritten,
  windows,
} from "../kit/stream-guards.ts";
import { textFrame, textOf } from "../kit/text-adapter.ts";

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
        const judged = text.slice(0, firstMatch);
        expect(error instanceof GatewayError ? error.code : undefined).toBe(
          firstMatch === undefined ? undefined : "guardrail.denied",
        );
        expect(judged.startsWith(textOf(passed))).toBe(true);
        expect(passed).toEqual(firstMatch === undefined ? frames : frames.slice(0, passed.length));
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
      { numRuns: 300 },
    );
  });

  test("is never judged from the middle of a character on", async () => {
    const asked: string[] = [];
    const listener: CompiledGuardrail = {
      phases: ["response"],
      window: { size: 4, overlap: 3 },
      inspect: ([span]) => {
        asked.push(span?.text ?? "");
        return { type: "pass" };
      },
    };
    await collect(
      Array.from("a\u{1f600}\u{1f600}b\u{1f600}\u{1f600}\u{1f600}").map((char) => textFrame(["text", char])),
      [attach(listener)],
    );
    expect(asked.length).toBeGreaterThan(3);
    expect(asked.filter((text) => !text.isWellFormed())).toEqual([]);
  });

  test("keeps characters beyond the basic plane whole", async () => {
    const smiles = linearRegex("\u{1f600}");
    const guardrail: CompiledGuardrail = {
      phases: ["response"],
      window: { size: 3, overlap: 2 },
      inspect: ([span]) => edits(smiles.findAll(span?.text ?? ""), ":)"),
    };
    const frames = Array.from("a\u{1f600}\u{1f600}b\u{1f600}").flatMap((char) =>
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
    for (const cut of [["Yes! And no."], ["Yes", "! And no."], Array.from("Yes! And no.")]) {
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
