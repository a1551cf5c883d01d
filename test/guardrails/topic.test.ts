import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { topic } from "../../src/guardrails/topic.ts";
import type { CompiledGuardrail, Verdict } from "../../src/pipeline/define-guardrail.ts";
import { builtIn } from "../kit/built-in-embedder.ts";
import { attach, buildTools } from "../kit/exchange.ts";
import { guardedCall } from "../kit/guarded-call.ts";
import { collect, cutsOf } from "../kit/stream-guards.ts";

const orders = {
  name: "orders",
  action: "allow",
  examples: ["where is my order", "when does my parcel arrive", "I want to return the shoes", "cancel my order"],
};
const medicine = {
  name: "medicine",
  action: "deny",
  examples: ["which pills help against a fever", "what is the dose of aspirin", "is this drug safe for children"],
};
const filler = "The harbour was quiet in the morning, and the boats lay still. ";

describe("a denied topic", () => {
  test.each([
    { name: "a question about it", text: "What dose of aspirin is safe?" },
    {
      name: "a sentence about it in a long text",
      text: `${filler.repeat(60)}Which pills help against fever? ${filler}`,
    },
  ])("is found in $name", async ({ text }) => {
    expect(await judge({ topics: [medicine] }, [text])).toMatchObject({
      type: "deny",
      assessment: { topic: "medicine" },
    });
  });

  test.each([{ text: "What is the weather like?" }, { text: "" }, { text: "你好" }, { text: filler.repeat(60) }])(
    "is not found in other texts: %#",
    async ({ text }) => {
      expect(await judge({ topics: [medicine] }, [text])).toEqual({ type: "pass" });
    },
  );

  test("is left where the conversation has left it", async () => {
    expect(await judge({ topics: [medicine, orders] }, ["What is the dose of aspirin?", "Where is my order?"])).toEqual(
      {
        type: "pass",
      },
    );
  });
});

describe("where only some topics may be talked about", () => {
  const given = { topics: [orders], otherwise: "deny" };

  test("what is about one of them passes, and nothing else", async () => {
    expect(await judge(given, ["When will my parcel arrive?"])).toEqual({ type: "pass" });
    expect(await judge(given, ["Write a poem about the sea."])).toMatchObject({ assessment: { topic: null } });
    expect(await judge(given, ["你好"])).toMatchObject({ type: "deny" });
  });

  test("a short answer goes with what it answers, within the turns that are looked at", async () => {
    const turns = ["I want to return the shoes from my order.", "Yes, please."];
    expect(await judge(given, turns)).toEqual({ type: "pass" });
    expect(await judge({ ...given, turns: 1 }, turns)).toMatchObject({ type: "deny" });
  });

  test("each text of an answer must be about one", async () => {
    const inspect = (texts: readonly string[]) =>
      compile({ ...given, phases: ["response"] }).inspect(spansOf(texts, "assistant"), "response", guardedCall());
    expect(await inspect(["Your order is cancelled, and a parcel with the shoes arrives."])).toEqual({ type: "pass" });
    expect(
      await inspect(["Your order is cancelled, and a parcel with the shoes arrives.", "The sea is blue."]),
    ).toMatchObject({
      type: "deny",
    });
  });
});

test("of two topics that are near the nearer one counts", async () => {
  const returns = { name: "returns", action: "deny", examples: ["I want to return the shoes", "send back a jacket"] };
  const given = { topics: [{ ...orders, examples: orders.examples.slice(0, 2) }, returns] };
  expect(await judge(given, ["I want to send back these shoes"])).toMatchObject({ assessment: { topic: "returns" } });
  expect(await judge(given, ["where is my order now"])).toEqual({ type: "pass" });
});

test.each([
  { name: "two topics of one name", given: { topics: [medicine, medicine] } },
  { name: "topics that refuse nothing", given: { topics: [orders] } },
  { name: "topics that let nothing pass", given: { topics: [medicine], otherwise: "deny" } },
  { name: "no topic", given: { topics: [] } },
])("$name are refused at publish", ({ given }) => {
  expect(topic.config.safeParse(given).success).toBe(false);
});

test("an embedder that takes too long fails the check when its time is over", async () => {
  const tools = { ...buildTools(), embed: () => ({ ...builtIn, embed: () => new Promise<never>(() => {}) }) };
  const guard = topic.compile(topic.config.parse({ topics: [medicine], deadlineMs: 50 }), tools);
  const verdict = Promise.resolve(guard.inspect(spansOf(["Hello."]), "request", guardedCall()));
  const failure = verdict.catch((error: unknown) => error);
  tools.clock.advance(50);
  expect(await failure).toMatchObject({ code: "upstream.timeout" });
});

test("a streamed text gets the verdict of the whole one, however it is cut", async () => {
  for (const text of [`${filler}Which pills help against fever?`, filler.repeat(2)]) {
    const whole = await judge({ topics: [medicine] }, [text]);
    await fc.assert(
      fc.asyncProperty(cutsOf(text), async (frames) => {
        const guard = compile({ topics: [medicine], phases: ["response"] });
        const { passed, error } = await collect(frames, [attach(guard)]);
        expect(error === undefined && passed.length === frames.length).toBe(whole.type === "pass");
      }),
      { numRuns: 15 },
    );
  }
});

function compile(given: object): CompiledGuardrail {
  return topic.compile(topic.config.parse(given), { ...buildTools(), embed: () => builtIn });
}

function spansOf(texts: readonly string[], author: "user" | "assistant" = "user") {
  return texts.map((text) => ({ place: "text", text, author }));
}

function judge(given: object, texts: readonly string[]): Verdict | Promise<Verdict> {
  return compile(given).inspect(spansOf(texts), "request", guardedCall());
}
