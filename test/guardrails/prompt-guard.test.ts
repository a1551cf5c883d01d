import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { promptGuard } from "../../src/guardrails/prompt-guard.ts";
import type { CompiledGuardrail, SpanAuthor, Verdict } from "../../src/pipeline/define-guardrail.ts";
import type { TextEmbedder } from "../../src/pipeline/plugin.ts";
import { builtIn } from "../kit/built-in-embedder.ts";
import { attach, buildTools } from "../kit/exchange.ts";
import { guardedCall } from "../kit/guarded-call.ts";
import { collect, cutsOf } from "../kit/stream-guards.ts";

const salaries = { deny: ["tell me the salary of a colleague", "what does my manager earn"], denyThreshold: 0.6 };
const shop = {
  allow: ["where is my order", "when does my parcel arrive", "I want to return shoes"],
  allowThreshold: 0.5,
};
const filler = "The harbour was quiet in the morning, and the boats lay still. ";

describe("denied examples", () => {
  test.each([
    { name: "its words in another order", text: "A colleague's salary: tell me." },
    {
      name: "one sentence of a long text",
      text: `${filler.repeat(100)}Tell me a colleague's salary. ${filler.repeat(100)}`,
    },
  ])("refuse $name", async ({ text }) => {
    expect(await judge(salaries, text)).toMatchObject({ type: "deny", assessment: { list: "deny", example: 0 } });
  });

  test.each(["What is the weather like?", "", "   ", "你好，世界", filler.repeat(9)])("let pass %j", async (text) => {
    expect(await judge(salaries, text)).toEqual({ type: "pass" });
  });

  test("are held against every text, earlier turns among them, of the authors that are named", async () => {
    const turns = ["Tell me a colleague's salary.", "And now the weather, please."];
    expect(await judge(salaries, turns)).toMatchObject({ type: "deny" });
    expect(await judge(salaries, turns, "system")).toEqual({ type: "pass" });
    expect(await judge({ ...salaries, authors: ["system"] }, turns, "system")).toMatchObject({ type: "deny" });
  });
});

describe("allowed examples", () => {
  test("let the last text pass that is near one of them, whatever was said before", async () => {
    expect(await judge(shop, ["Write a poem.", "Where is my order?"])).toEqual({ type: "pass" });
    expect(await judge(shop, ["Where is my order?", "Write a poem."])).toMatchObject({
      type: "deny",
      assessment: { list: "allow", threshold: 0.5 },
    });
  });

  test("refuse what means nothing to the model", async () => {
    expect(await judge(shop, "你好")).toMatchObject({ type: "deny", assessment: { score: 0 } });
  });

  test("do not outweigh a denied one", async () => {
    const both = { ...shop, ...salaries };
    expect(await judge(both, "Where is my order?")).toEqual({ type: "pass" });
    expect(await judge(both, "Where is my order? Tell me a colleague's salary.")).toMatchObject({
      assessment: { list: "deny" },
    });
  });

  test("are asked of each text of an answer", async () => {
    const spans = ["Where is my order?", "Write a poem."].map((text) => span(text, "assistant"));
    const given = { ...shop, phases: ["response"] };
    expect(await compile(given).inspect(spans, "response", guardedCall())).toMatchObject({ type: "deny" });
    expect(await compile(given).inspect(spans.slice(0, 1), "response", guardedCall())).toEqual({ type: "pass" });
  });
});

test("without thresholds those of the embedder hold", async () => {
  const embedder = { ...builtIn, thresholds: { ...builtIn.thresholds, guard: 0.2 } };
  const text = "What salary would be fair?";
  const { deny } = salaries;
  expect(await judge({ deny }, text)).toEqual({ type: "pass" });
  expect(await judge({ deny }, text, "user", embedder)).toMatchObject({ assessment: { threshold: 0.2 } });
});

test("a finding quotes neither the text nor the example", async () => {
  const found = JSON.stringify(await judge(salaries, "Marigold, tell me a colleague's salary."));
  expect(found).not.toMatch(/marigold|salary/i);
});

test("an embedder that fails fails the check, and is asked again with the next message", async () => {
  let calls = 0;
  const failing: TextEmbedder = {
    ...builtIn,
    embed: (texts) => {
      calls += 1;
      return calls <= 2 ? Promise.reject(new Error("down")) : Promise.resolve(builtIn.embed(texts));
    },
  };
  const guard = compile(salaries, failing);
  const ask = () => Promise.resolve(guard.inspect([span("Tell me a colleague's salary.")], "request", guardedCall()));
  await expect(ask()).rejects.toThrow("down");
  expect(await ask()).toMatchObject({ type: "deny" });
});

test("an embedder that takes too long fails the check when its time is over", async () => {
  const tools = { ...buildTools(), embed: () => ({ ...builtIn, embed: () => new Promise<never>(() => {}) }) };
  const guard = promptGuard.compile(promptGuard.config.parse({ ...salaries, deadlineMs: 50 }), tools);
  const verdict = Promise.resolve(guard.inspect([span("Hello.")], "request", guardedCall()));
  const failure = verdict.catch((error: unknown) => error);
  tools.clock.advance(50);
  expect(await failure).toMatchObject({ code: "upstream.timeout" });
});

test("an embedder whose vectors change their length fails the check, and nothing passes for unlike", async () => {
  let length = 3;
  const changing: TextEmbedder = {
    ...builtIn,
    embed: (texts) => texts.map(() => new Float32Array(length).fill(1 / Math.sqrt(length))),
  };
  const guard = compile(salaries, changing);
  const ask = async () => guard.inspect([span("Tell me a colleague's salary.")], "request", guardedCall());
  expect(await ask()).toMatchObject({ type: "deny" });
  length = 2;
  await expect(ask()).rejects.toMatchObject({ code: "upstream.invalid" });
});

test("examples are embedded once", async () => {
  const seen: string[] = [];
  const counted: TextEmbedder = {
    ...builtIn,
    embed(texts) {
      seen.push(...texts);
      return builtIn.embed(texts);
    },
  };
  const guard = compile(salaries, counted);
  for (const text of ["Hello there, all of you.", "Good morning to everybody."]) {
    await guard.inspect([span(text)], "request", guardedCall());
  }
  expect(seen.filter((text) => text === salaries.deny[0])).toHaveLength(1);
});

test("needs examples", () => {
  expect(promptGuard.config.safeParse({}).success).toBe(false);
  expect(promptGuard.config.safeParse({ deny: [" "] }).success).toBe(false);
});

test("a streamed text gets the verdict of the whole one, however it is cut", async () => {
  for (const text of [`${filler}Tell me a colleague's salary.`, filler.repeat(2)]) {
    const whole = await judge(salaries, text);
    await fc.assert(
      fc.asyncProperty(cutsOf(text), async (frames) => {
        const guard = compile({ ...salaries, phases: ["response"] });
        const { passed, error } = await collect(frames, [attach(guard)]);
        expect(error === undefined && passed.length === frames.length).toBe(whole.type === "pass");
      }),
      { numRuns: 15 },
    );
  }
});

test("texts that are longer than can be judged are refused unread", async () => {
  expect(await judge({ ...salaries, maxCharacters: 100 }, filler.repeat(10))).toMatchObject({
    reason: expect.stringMatching(/too long/),
  });
});

function compile(given: object, embedder: TextEmbedder = builtIn): CompiledGuardrail {
  return promptGuard.compile(promptGuard.config.parse(given), { ...buildTools(), embed: () => embedder });
}

function span(text: string, author: SpanAuthor = "user") {
  return { place: "text", text, author };
}

function judge(
  given: object,
  texts: string | readonly string[],
  author: SpanAuthor = "user",
  embedder: TextEmbedder = builtIn,
): Verdict | Promise<Verdict> {
  const spans = [texts].flat().map((text) => span(text, author));
  return compile(given, embedder).inspect(spans, "request", guardedCall());
}
