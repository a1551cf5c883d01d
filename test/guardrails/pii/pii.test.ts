import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pii } from "../../../src/guardrails/pii/pii.ts";
import type { Frame } from "../../../src/pipeline/exchange.ts";
import { guardAnswer, guardRequest } from "../../../src/pipeline/guardrail-runner.ts";
import { guardStream } from "../../../src/pipeline/window-runner.ts";
import { attach, buildExchange, buildOperation, buildTools } from "../../kit/exchange.ts";
import { collect, cutsOf, pull } from "../../kit/stream-guards.ts";
import type { Said } from "../../kit/text-adapter.ts";
import { requestBody, saidBy, textFrame, textOf } from "../../kit/text-adapter.ts";

const letter =
  "Write to ann@example.com and bob@example.com, cc Ann@example.com; card 4111 1111 1111 1111, not ann@example.com.";
const masked = "Write to [EMAIL_1] and [EMAIL_2], cc [EMAIL_3]; card [CREDIT_CARD_1], not [EMAIL_1].";

describe("what is masked in a request", () => {
  test("is a placeholder for the model, the same one for the same value", async () => {
    const { sent } = await asked({}, [
      ["a", letter],
      ["b", "again bob@example.com"],
    ]);
    expect(sent).toEqual([
      ["a", masked],
      ["b", "again [EMAIL_2]"],
    ]);
  });

  test("is restored in the answer, wherever the model repeats its placeholder", async () => {
    const { answered } = await asked({}, [["a", letter]]);
    expect(
      await answered([
        ["a", "Sent to [EMAIL_2]."],
        ["b", "Card [CREDIT_CARD_1] and [EMAIL_1]"],
      ]),
    ).toEqual([
      ["a", "Sent to bob@example.com."],
      ["b", "Card 4111 1111 1111 1111 and ann@example.com"],
    ]);
  });

  test.each([
    ["in small letters", "see [email_1]"],
    ["with Markdown's backslashes", String.raw`see \[EMAIL\_1\]`],
    ["with blanks", "see [ EMAIL 1 ]"],
  ])("is restored where the model writes it %s", async (_name, answer) => {
    const { answered } = await asked({}, [["a", letter]]);
    expect(await answered([["a", answer]])).toEqual([["a", "see ann@example.com"]]);
  });

  test("is restored as a part of a URL in the URL's own writing", async () => {
    const { answered } = await asked({}, [["a", letter]]);
    expect(await answered([["a", "mailto:%5BEMAIL_1%5D?x"]])).toEqual([["a", "mailto:ann%40example.com?x"]]);
  });

  test("is escaped where it lands in JSON, and unescaped where it came from there", async () => {
    const config = { names: [], custom: [{ name: "quote", pattern: "Q<[^>]*>" }] };
    const { sent, answered } = await asked(config, [["args", String.raw`{"text":"Q<a\"b>"}`]]);
    expect(sent).toEqual([["args", '{"text":"[QUOTE_1]"}']]);
    expect(
      await answered([
        ["a", "said [QUOTE_1]"],
        ["args", '{"to":"[QUOTE_1]"}'],
      ]),
    ).toEqual([
      ["a", 'said Q<a"b>'],
      ["args", String.raw`{"to":"Q<a\"b>"}`],
    ]);
  });

  test("never takes a placeholder that the client's own text holds, and leaves that one alone", async () => {
    const { sent, answered } = await asked({}, [
      ["a", "I write [EMAIL_1] and [email_2]."],
      ["b", "ann@example.com"],
    ]);
    expect(sent).toEqual([
      ["a", "I write [EMAIL_1] and [email_2]."],
      ["b", "[EMAIL_3]"],
    ]);
    expect(await answered([["a", "[EMAIL_1] [EMAIL_3]"]])).toEqual([["a", "[EMAIL_1] ann@example.com"]]);
  });

  test("gives nothing to a model that invents placeholders, nor to the answer of another operation", async () => {
    const { answered } = await asked({}, [["a", letter]]);
    expect(await answered([["a", "[EMAIL_7] [PHONE_1] [CREDIT_CARD_2]"]])).toEqual([
      ["a", "[EMAIL_7] [PHONE_1] [CREDIT_CARD_2]"],
    ]);
    const other = await asked({}, [["a", "nothing here"]]);
    expect(await other.answered([["a", "[EMAIL_1]"]])).toEqual([["a", "[EMAIL_1]"]]);
  });

  test("is restored in a stream however it is cut, escaped in tool arguments", async () => {
    const config = { custom: [{ name: "quote", pattern: "Q<[^>]*>" }] };
    const prose = `Dear [EMAIL_1], [email_2] and ${"x".repeat(150)} [CREDIT_CARD_1][EMAIL_9] [QUOTE_1] \\[EMAIL\\_1\\]`;
    const args = `{"to":"[QUOTE_1]","pad":"${"y ".repeat(100)}","cc":["[EMAIL_1]"]}`;
    const { streamed } = await asked(config, [
      ["a", letter],
      ["b", 'Q<a"b>'],
    ]);
    await fc.assert(
      fc.asyncProperty(cutsOf(prose), cutsOf(args), async (left, right) => {
        const asArgs = right.map((frame) => textFrame(...saidBy(frame).map(([, text]): Said => ["args", text])));
        const passed = await streamed([...left, ...asArgs]);
        expect(textOf(passed)).toBe(
          `Dear ann@example.com, bob@example.com and ${"x".repeat(150)} 4111 1111 1111 1111[EMAIL_9] Q<a"b> ann@example.com`,
        );
        expect(textOf(passed, "args")).toBe(`{"to":"Q<a\\"b>","pad":"${"y ".repeat(100)}","cc":["ann@example.com"]}`);
      }),
      { numRuns: 60 },
    );
  });

  test("is what a stream is held back for, and only that", async () => {
    const piece = (text: string) => textFrame(["a", text]);
    const { heldBefore } = await asked({}, [["a", "nothing of the kind"]]);
    expect(await heldBefore([piece("Dear "), piece("all")])).toBe(0);
    const other = await asked({}, [["a", letter]]);
    expect(await other.heldBefore([piece("Dear "), piece("all")])).toBe(1);
    const searching = await asked({ answers: { action: "mask" } }, [["a", "nothing of the kind"]]);
    expect(await searching.heldBefore([piece("Dear "), piece("all")])).toBe(1);
  });

  test("is told by kinds and counts only", async () => {
    const { exchange, answered } = await asked({}, [["a", letter]]);
    await answered([["a", "[EMAIL_1]"]]);
    expect(exchange.decisions).toMatchObject([
      { step: "request", action: "rewrite", detail: "email 4, credit-card 1" },
      { step: "response", action: "rewrite" },
    ]);
    expect(JSON.stringify(exchange.decisions)).not.toMatch(/ann|4111/);
  });

  test("is only counted in monitor mode, and nothing is put into the answer", async () => {
    const { sent, answered } = await asked({}, [["a", letter]], "monitor");
    expect(sent).toEqual([["a", letter]]);
    expect(await answered([["a", "[EMAIL_1]"]])).toEqual([["a", "[EMAIL_1]"]]);
  });
});

describe("the other actions", () => {
  test("redact for good", async () => {
    const { sent, answered } = await asked({ action: "redact", replacement: "***" }, [["a", letter]]);
    expect(sent).toEqual([["a", "Write to *** and ***, cc ***; card ***, not ***."]]);
    expect(await answered([["a", "[EMAIL_1]"]])).toEqual([["a", "[EMAIL_1]"]]);
  });

  test("block, with the kinds and never the text in the reason", async () => {
    const { result, exchange } = await asked({ entities: { "credit-card": "block" } }, [["a", letter]]);
    expect(result).toEqual({
      type: "deny",
      code: "guardrail.denied",
      message: "The request holds personal data that is not permitted here: credit-card.",
      detail: "email 4, credit-card 1",
    });
    expect(JSON.stringify(exchange.decisions)).not.toMatch(/ann|4111/);
  });

  test("annotate, and change nothing", async () => {
    const { sent, exchange } = await asked({ action: "annotate" }, [["a", letter]]);
    expect(sent).toEqual([["a", letter]]);
    expect(exchange.decisions).toMatchObject([{ action: "annotate", detail: "email 4, credit-card 1" }]);
  });
});

describe("what the model says by itself", () => {
  const said = [
    "Mail carol@example.com or the DNI 12345678Z.",
    "DE89 3704 0044 0532 0130 00 is an account; 4111 1111 1111 1111 2222 none of a card",
    "call +49 30 901820 or ssn: 219099999, not 219099999",
    `${"w".repeat(90)} born on 3 March 1990 in Rome, since 3 March 1999 there`,
    "２００１:db8::1 and 078\u201105\u20111120 4111\u200b1111\u200b1111\u200b1111",
  ].join(" and then ");

  test("is left alone unless it is asked for", async () => {
    const { answered } = await asked({}, [["a", "hello"]]);
    expect(await answered([["a", said]])).toEqual([["a", said]]);
  });

  test("is hidden in a stream as in the whole, however it is cut", async () => {
    const { answered, streamed } = await asked({ answers: { action: "mask" } }, [["a", "hello"]]);
    const [[, whole] = ["", ""]] = await answered([["text", said]]);
    expect(whole).toContain("Mail [EMAIL] or the DNI [ES_DNI]");
    expect(whole).toContain("ssn: [US_SSN], not");
    await fc.assert(
      fc.asyncProperty(cutsOf(said), async (frames) => {
        const again = await asked({ answers: { action: "mask" } }, [["a", "hello"]]);
        expect(textOf(await again.streamed(frames))).toBe(whole);
      }),
      { numRuns: 100 },
    );
    expect(streamed).toBeDefined();
  });

  test("refuses the stream by the same verdict, however it is cut", async () => {
    const config = pii.config.parse({ action: "off", answers: { entities: { "credit-card": "block" } } });
    await fc.assert(
      fc.asyncProperty(
        fc
          .constantFrom("4111 1111 1111 1111", "4111 1111 1111 1112", "4111111111111111", "x4111111111111111")
          .chain((number) =>
            cutsOf(`${"word ".repeat(60)}${number} 22 ${"word ".repeat(60)}`).map((frames) => ({ number, frames })),
          ),
        async ({ number, frames }) => {
          const { error } = await collect(frames, [attach(pii.compile(config, buildTools()))]);
          const isCard = number === "4111 1111 1111 1111" || number === "4111111111111111";
          expect(error === undefined).toBe(!isCard);
        },
      ),
      { numRuns: 100 },
    );
  });

  test("never gets out in part when it is longer than the window", async () => {
    const long = `${"a".repeat(60)}@${"b".repeat(60)}.${"lengthened.".repeat(7)}example.com`;
    const config = pii.config.parse({ action: "off", answers: { action: "redact" } });
    await fc.assert(
      fc.asyncProperty(cutsOf(`Write to ${long}, please. ${"x ".repeat(200)}`), async (frames) => {
        const { passed } = await collect(frames, [attach(pii.compile(config, buildTools()))]);
        expect(textOf(passed)).toBe(`Write to [redacted], please. ${"x ".repeat(200)}`);
      }),
      { numRuns: 50 },
    );
  });
});

describe("time", () => {
  test.each([
    ["digits", "1"],
    ["digits and blanks", "1 "],
    ["brackets and digits", "(1)"],
    ["signs", "@"],
    ["signs and letters", "a@"],
    ["dots", "a."],
    ["dates", "1/1/"],
    ["colons", "1:"],
    ["letters", "A"],
    ["backslashes", "\\"],
    ["placeholders", "[A_1"],
    ["invisible characters", "1\u200b"],
    ["labels", "a@a.a-"],
    ["plus signs", "+1"],
    ["real numbers", "4111 1111 1111 1111 "],
  ])("grows with the text only, for 1 MiB of %s", (_name, unit) => {
    const guardrail = pii.compile(pii.config.parse({ answers: { action: "mask" } }), buildTools());
    const cpuMsOf = (units: number): number => {
      const text = unit.repeat(Math.ceil(units / unit.length));
      const call = { memory: <Kept>(make: () => Kept): Kept => make() };
      const startedAt = process.threadCpuUsage().user;
      const exchange = {
        exchangeId: "x",
        operation: { kind: "chat", name: "m" },
        signal: new AbortController().signal,
        ...call,
      };
      for (const phase of ["request", "response"] as const)
        void guardrail.inspect([{ place: "a", text, author: "user" }], phase, exchange);
      return (process.threadCpuUsage().user - startedAt) / 1_000;
    };
    cpuMsOf(65_536);
    expect(cpuMsOf(1_048_576)).toBeLessThan(128 * Math.max(cpuMsOf(65_536), 20));
  });
});

async function asked(config: object, said: readonly Said[], mode: "enforce" | "monitor" = "enforce") {
  const guardrail = pii.compile(pii.config.parse(config), buildTools());
  const attachment = attach(guardrail, { mode });
  const exchange = buildExchange();
  const operation = buildOperation({ body: requestBody(...said) });
  const result = await guardRequest(exchange, operation, attachment);
  return {
    result,
    exchange,
    sent: saidBy(textFrameOf(operation.body)),
    async answered(texts: readonly Said[]): Promise<readonly Said[]> {
      const judged = await guardAnswer(exchange, operation, attachment, textFrame(...texts));
      if ("type" in judged) throw new Error(judged.message);
      return saidBy(judged);
    },
    /** Frames that were read beyond the first before it got out. */
    async heldBefore(frames: readonly Frame[]): Promise<number> {
      let read = 0;
      const source = pull(frames, () => (read += 1));
      for await (const _frame of guardStream(source, { exchange, operation, attachments: [attachment] })) break;
      return read - 1;
    },
    async streamed(frames: readonly Frame[]): Promise<Frame[]> {
      // A stream is an answer of its own: what the request left stays, what former streams said is forgotten.
      const one = { ...operation, guardrailMemory: new Map(operation.guardrailMemory) };
      const passed: Frame[] = [];
      for await (const frame of guardStream(pull(frames), { exchange, operation: one, attachments: [attachment] })) {
        passed.push(frame);
      }
      return passed;
    },
  };
}

function textFrameOf(body: Buffer): Frame {
  return { bytes: body, message: () => undefined };
}
