import { describe, expect, test } from "vitest";
import type { CompiledGuardrail, TextSpan, Verdict } from "../../src/pipeline/define-guardrail.ts";
import type { Frame } from "../../src/pipeline/exchange.ts";
import { guardAnswer, guardRequest } from "../../src/pipeline/guardrail-runner.ts";
import { attach, buildExchange, buildOperation } from "../kit/exchange.ts";
import { requestBody, saidBy, textFrame } from "../kit/text-adapter.ts";

const sayings = [
  ["messages[0].content", "be kind"],
  ["messages[1].content", "my secret"],
] as const;

const denies: Verdict = { type: "deny", reason: "Not that.", detail: "pattern 3" };
const rewrites: Verdict = { type: "rewrite", edits: [{ span: 1, start: 3, end: 9, replacement: "name" }] };

describe("a request", () => {
  test("is refused with the guardrail's reason, and its detail is kept for the log", async () => {
    const { result, exchange, operation } = await guarded(denies);
    expect(result).toEqual({ type: "deny", code: "guardrail.denied", message: "Not that.", detail: "pattern 3" });
    expect(exchange.decisions).toMatchObject([
      { step: "request", action: "deny", mode: "enforce", detail: "pattern 3" },
    ]);
    expect(operation.body).toEqual(requestBody(...sayings));
  });

  test("is rewritten in the spans that were edited and nowhere else", async () => {
    const { result, exchange, operation } = await guarded(rewrites);
    expect(result).toBeUndefined();
    expect(operation.body).toEqual(requestBody(sayings[0], ["messages[1].content", "my name"]));
    expect(exchange.decisions).toMatchObject([{ action: "rewrite" }]);
  });

  test("keeps its very bytes when it passes, and nothing is noted", async () => {
    const { exchange, operation, body } = await guarded({ type: "pass" });
    expect(operation.body).toBe(body);
    expect(exchange.decisions).toEqual([]);
  });

  test("is shown to the next guardrail as the former left it", async () => {
    const exchange = buildExchange();
    const operation = buildOperation({ body: requestBody(...sayings) });
    const seen: string[] = [];
    await guardRequest(exchange, operation, attach(guardrail(() => rewrites)));
    const listener = guardrail((spans) => {
      seen.push(...spans.map(({ text }) => text));
      return { type: "pass" };
    });
    await guardRequest(exchange, operation, attach(listener));
    expect(seen).toEqual(["be kind", "my name"]);
  });

  test.each([
    { name: "is untouched by a refusal in monitor mode, which is noted", verdict: denies, action: "deny" },
    { name: "is untouched by a rewrite in monitor mode, which is noted", verdict: rewrites, action: "rewrite" },
  ])("$name", async ({ verdict, action }) => {
    const { result, exchange, operation, body } = await guarded(verdict, { mode: "monitor" });
    expect(result).toBeUndefined();
    expect(operation.body).toBe(body);
    expect(exchange.decisions).toMatchObject([{ action, mode: "monitor" }]);
  });

  test("without text passes unasked", async () => {
    const operation = buildOperation({ body: requestBody() });
    expect(await guardRequest(buildExchange(), operation, attach(guardrail(() => denies)))).toBeUndefined();
  });

  test("is not shown to a guardrail of answers", async () => {
    const operation = buildOperation({ body: requestBody(...sayings) });
    const ofAnswers = attach({ ...guardrail(() => denies), phases: ["response"] });
    expect(await guardRequest(buildExchange(), operation, ofAnswers)).toBeUndefined();
  });

  test("is judged without a turn of the event loop when the guardrail answers at once", () => {
    const operation = buildOperation({ body: requestBody(...sayings) });
    expect(guardRequest(buildExchange(), operation, attach(guardrail(() => denies)))).not.toBeInstanceOf(Promise);
  });
});

describe("a guardrail that breaks", () => {
  const breaks = [
    {
      name: "by throwing",
      inspect: () => {
        throw new Error("no model");
      },
    },
    { name: "by rejecting", inspect: () => Promise.reject(new Error("no model")) },
    { name: "by edits that overlap", inspect: () => overlapping },
    { name: "by an edit beyond the text", inspect: () => edit(0, 0, 99) },
    { name: "by an edit of a span that there is not", inspect: () => edit(7, 0, 0) },
    { name: "by an edit that ends before it begins", inspect: () => edit(0, 3, 2) },
  ];

  test.each(breaks)("$name stops the request when it is set to deny", async ({ inspect }) => {
    const exchange = buildExchange();
    const operation = buildOperation({ body: requestBody(...sayings) });
    const judge = async (): Promise<unknown> => guardRequest(exchange, operation, attach(guardrail(inspect)));
    await expect(judge()).rejects.toMatchObject({ code: "policy.failed" });
    expect(exchange.decisions).toMatchObject([{ action: "error", code: "policy.failed" }]);
    expect(operation.body).toEqual(requestBody(...sayings));
  });

  test.each(breaks)("$name lets the request pass as it is when it is set to continue", async ({ inspect }) => {
    const exchange = buildExchange();
    const operation = buildOperation({ body: requestBody(...sayings) });
    const attachment = attach(guardrail(inspect), { onError: "continue" });
    expect(await guardRequest(exchange, operation, attachment)).toBeUndefined();
    expect(exchange.decisions).toMatchObject([{ action: "error" }]);
    expect(operation.body).toEqual(requestBody(...sayings));
  });

  test("never stops a request in monitor mode", async () => {
    const operation = buildOperation({ body: requestBody(...sayings) });
    const monitor = attach(
      guardrail(() => Promise.reject(new Error("away"))),
      { mode: "monitor" },
    );
    expect(await guardRequest(buildExchange(), operation, monitor)).toBeUndefined();
  });
});

describe("a whole answer", () => {
  const answer = textFrame(...sayings);

  test("is the same frame when it passes", async () => {
    expect(await judged({ type: "pass" })).toBe(answer);
  });

  test("is another frame with the edits when it is rewritten", async () => {
    const frame = (await judged(rewrites)) as Frame; // a rewrite gives no refusal
    expect(saidBy(frame)).toEqual([sayings[0], ["messages[1].content", "my name"]]);
  });

  test("is refused", async () => {
    expect(await judged(denies)).toMatchObject({ type: "deny", code: "guardrail.denied" });
  });

  async function judged(verdict: Verdict) {
    return guardAnswer(buildExchange(), buildOperation(), attach(guardrail(() => verdict)), answer);
  }
});

const overlapping: Verdict = {
  type: "rewrite",
  edits: [
    { span: 0, start: 0, end: 4, replacement: "" },
    { span: 0, start: 3, end: 5, replacement: "" },
  ],
};

function edit(span: number, start: number, end: number): Verdict {
  return { type: "rewrite", edits: [{ span, start, end, replacement: "" }] };
}

function guardrail(inspect: (spans: readonly TextSpan[]) => Verdict | Promise<Verdict>): CompiledGuardrail {
  return { phases: ["request", "response"], window: { size: 10, overlap: 2 }, inspect };
}

async function guarded(verdict: Verdict, parts: { readonly mode?: "monitor" } = {}) {
  const exchange = buildExchange();
  const body = requestBody(...sayings);
  const operation = buildOperation({ body });
  const attachment = attach(
    guardrail(() => Promise.resolve(verdict)),
    parts,
  );
  return { result: await guardRequest(exchange, operation, attachment), exchange, operation, body };
}
