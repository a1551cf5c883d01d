import { describe, expect, test } from "vitest";
import { z } from "zod";
import { compileAttachment } from "../../src/pipeline/compile-chain.ts";
import type { CompiledGuardrail, GuardedCall, TextSpan, Verdict } from "../../src/pipeline/define-guardrail.ts";
import { defineGuardrail } from "../../src/pipeline/define-guardrail.ts";
import type { Exchange, Operation } from "../../src/pipeline/exchange.ts";
import { guardAnswer, guardRequest } from "../../src/pipeline/guardrail-runner.ts";
import { createRegistry } from "../../src/pipeline/registry.ts";
import { compileSelection } from "../../src/pipeline/select-spans.ts";
import type { Attachment } from "../../src/pipeline/snapshot.ts";
import { guardStream } from "../../src/pipeline/window-runner.ts";
import { attach, buildExchange, buildOperation, buildTools } from "../kit/exchange.ts";
import { collect, pull } from "../kit/stream-guards.ts";
import { requestBody, saidBy, textAdapter, textFrame } from "../kit/text-adapter.ts";

const window = { size: 8, overlap: 2 };

function guardrail(inspect: CompiledGuardrail["inspect"]): CompiledGuardrail {
  return { phases: ["request", "response"], window, inspect };
}

describe("an annotation", () => {
  const measured = { score: 0.7 };
  const notes = guardrail(() => ({ type: "pass", detail: "score 0.7", assessment: measured }));

  test("stands in the row, and the message goes on as it is", async () => {
    const exchange = buildExchange();
    const body = requestBody(["a", "text"]);
    const operation = buildOperation({ body });
    expect(await guardRequest(exchange, operation, attach(notes))).toBeUndefined();
    expect(operation.body).toBe(body);
    expect(exchange.decisions).toMatchObject([
      { step: "request", action: "annotate", mode: "enforce", detail: "score 0.7", assessment: measured },
    ]);
  });

  test("stands there once for a whole stream, whose frames are the same", async () => {
    const frames = Array.from({ length: 20 }, () => textFrame(["text", "word "]));
    const { passed, error, exchange } = await collect(frames, [attach(notes)]);
    expect([passed, error]).toEqual([frames, undefined]);
    expect(exchange.decisions).toMatchObject([{ step: "response", action: "annotate" }]);
  });
});

describe("an assessment", () => {
  const verdict: Verdict = { type: "deny", reason: "Not that.", assessment: { words: 9 } };
  const block = { status: 446, showAssessment: true, toolResult: false } as const;

  test("is shown to the caller only where the attachment says so, and always stands in the row", async () => {
    const [hidden, shown] = await Promise.all([asked({}), asked({ block })]);
    expect(hidden.result).not.toHaveProperty("data");
    expect(shown.result).toMatchObject({
      data: {
        assessment: {
          action: "GUARDRAIL_INTERVENED",
          interveningGuardrail: "test-guardrail",
          direction: "REQUEST",
          actionReason: "Not that.",
          assessments: { words: 9 },
        },
      },
      manner: { status: 446, asResult: false },
    });
    for (const { exchange } of [hidden, shown]) {
      expect(exchange.decisions).toMatchObject([{ action: "deny", assessment: { words: 9 } }]);
    }
  });

  async function asked(parts: Partial<Attachment>) {
    const exchange = buildExchange();
    const operation = buildOperation({ body: requestBody(["a", "text"]) });
    const result = await guardRequest(
      exchange,
      operation,
      attach(
        guardrail(() => verdict),
        parts,
      ),
    );
    return { result, exchange };
  }
});

describe("what a guardrail keeps", () => {
  const counting = guardrail((_spans: readonly TextSpan[], _phase, call: GuardedCall) => {
    const kept = call.memory(() => ({ calls: 0 }));
    kept.calls += 1;
    return { type: "pass", detail: `${kept.calls}` };
  });
  const place = (at: number) => ({ place: `llm_x/policies[${at}]` });
  const details = ({ decisions }: Exchange) => decisions.map(({ detail }) => detail);

  test("lasts from the request to the end of its stream", async () => {
    const exchange = buildExchange();
    const operation = buildOperation({ body: requestBody(["a", "text"]), stream: true });
    let last = 0;
    const attachment = attach(
      guardrail((_spans, phase, call) => {
        const kept = call.memory(() => ({ calls: 0 }));
        kept.calls += 1;
        last = kept.calls;
        return phase === "request" ? { type: "pass", detail: "seen" } : { type: "pass" };
      }),
    );
    await guardRequest(exchange, operation, attachment);
    const frames = pull(Array.from({ length: 4 }, () => textFrame(["text", "eight ch"])));
    for await (const _ of guardStream(frames, { exchange, operation, attachments: [attachment] }));
    expect(last).toBeGreaterThan(4);
  });

  test("is no other operation's of the same batch, though they run side by side", async () => {
    const exchange = buildExchange();
    const operations: readonly Operation[] = [1, 2, 3].map(() => buildOperation({ body: requestBody(["a", "text"]) }));
    const seen: string[] = [];
    const slow = guardrail(async (_spans, _phase, call) => {
      const kept = call.memory(() => ({ calls: 0 }));
      await Promise.resolve();
      kept.calls += 1;
      seen.push(`${kept.calls}`);
      return { type: "pass" };
    });
    await Promise.all(operations.map(async (operation) => guardRequest(exchange, operation, attach(slow))));
    expect(seen).toEqual(["1", "1", "1"]);
  });

  test("is no other attachment's of the same guardrail", async () => {
    const exchange = buildExchange();
    const operation = buildOperation({ body: requestBody(["a", "text"]) });
    await guardRequest(exchange, operation, attach(counting, place(0)));
    await guardRequest(exchange, operation, attach(counting, place(1)));
    await guardAnswer(exchange, operation, attach(counting, place(0)), textFrame(["a", "text"]));
    expect(details(exchange)).toEqual(["1", "1", "2"]);
  });
});

describe("in a protocol that nobody knows", () => {
  const upper = guardrail((spans) => ({
    type: "rewrite",
    edits: spans.map(({ text }, span) => ({ span, start: 0, end: text.length, replacement: text.toUpperCase() })),
  }));
  const selection = compileSelection(
    { request: { places: ["b*"] }, response: { places: ["b*"] } },
    ["request", "response"],
    undefined,
    () => undefined,
  );
  const said = [
    ["a", "one"],
    ["b1", "two"],
    ["c", "three"],
    ["b2", "four"],
  ] as const;
  const edited = [said[0], ["b1", "TWO"], said[2], ["b2", "FOUR"]];

  test("only the chosen texts are judged, and the edits land where those stand", async () => {
    const exchange = buildExchange();
    const operation = buildOperation({ body: requestBody(...said) });
    await guardRequest(exchange, operation, attach(upper, { selection }));
    expect(JSON.parse(String(operation.body))).toEqual(edited);
    const answer = await guardAnswer(exchange, operation, attach(upper, { selection }), textFrame(...said));
    expect("bytes" in answer && saidBy(answer)).toEqual(edited);
  });

  test("a message without a chosen text passes unasked", async () => {
    const operation = buildOperation({ body: requestBody(said[0]) });
    const deny = guardrail(() => ({ type: "deny", reason: "Never." }));
    expect(await guardRequest(buildExchange(), operation, attach(deny, { selection }))).toBeUndefined();
  });

  test("a guardrail that is about others' texts is refused at publish", () => {
    const about = defineGuardrail({
      id: "about-tools",
      title: "T",
      summary: "S.",
      config: z.strictObject({}),
      examples: [{}],
      onError: "deny",
      appliesTo: { request: ["tool"] },
      compile: () => guardrail(() => ({ type: "pass" })),
    });
    const lists = { policies: [], guardrails: [about], providers: [], strategies: [], adapters: [] };
    const authors = { request: ["user"], response: ["assistant"] } as const;
    const adapter = {
      ...textAdapter,
      texts: { authors, hasTurns: false, hasResults: false, document: () => undefined },
    };
    const issues: string[] = [];
    const spec = { use: "about-tools", with: {}, mode: "enforce" as const };
    const fault = ({ message }: { readonly message: string }): void => void issues.push(message);
    compileAttachment(spec, "x", createRegistry(lists), buildTools(), fault, adapter);
    expect(issues).toEqual([expect.stringContaining("nothing to judge")]);
    issues.length = 0;
    compileAttachment(spec, "x", createRegistry(lists), buildTools(), fault);
    expect(issues).toEqual([]);
  });
});
