import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { editTo } from "../../src/guardrails/remote/read-answer.ts";
import { splitText } from "../../src/guardrails/remote/split-text.ts";
import { webhookGuardrail } from "../../src/guardrails/webhook-guardrail.ts";
import { attach } from "../kit/exchange.ts";
import { guardedCall } from "../kit/guarded-call.ts";
import type { MockUpstream, Respond } from "../kit/mock-upstream.ts";
import { startMockUpstream } from "../kit/mock-upstream.ts";
import { collect, cutsOf } from "../kit/stream-guards.ts";
import { edited, textOf } from "../kit/text-adapter.ts";
import { compileRemote, editsOf, loopbackFetch, serviceTools, userTexts } from "./remote/ask-service.ts";

test("sends the texts with their places and the call, signed with a time", async () => {
  await using server = await startMockUpstream(answering({ verdict: "pass" }));
  expect(await judge(server, "hello", " ", "half \ud800 a pair")).toEqual({ type: "pass" });
  const [seen] = server.seen;
  expect(JSON.parse(seen?.body.toString() ?? "")).toEqual({
    type: "guardrail.inspect",
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    data: {
      exchange: guardedCall().exchangeId,
      operation: { kind: "chat", name: "gpt-test" },
      phase: "request",
      texts: [
        { place: "messages[0].content", author: "user", text: "hello" },
        { place: "messages[2].content", author: "user", text: "half \ufffd a pair" },
      ],
    },
  });
  const { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature } = seen?.headers ?? {};
  const expected = createHmac("sha256", "key-of-the-service")
    .update(`${String(id)}.${String(timestamp)}.${seen?.body.toString()}`)
    .digest("base64");
  expect(signature).toBe(`v1,${expected}`);
});

describe("its answer", () => {
  test("may refuse, with words for the caller", async () => {
    const answer = { verdict: "deny", reason: "No politics.", detail: "topic 7", assessment: { topic: 7 } };
    await using server = await startMockUpstream(answering(answer));
    const { verdict: type, ...rest } = answer;
    expect(await judge(server, "vote!")).toEqual({ type, ...rest });
  });

  test("may refuse without words", async () => {
    await using server = await startMockUpstream(answering({ verdict: "deny" }));
    expect(await judge(server, "vote!")).toEqual({ type: "deny", reason: "The request is not permitted here." });
  });

  test("may rewrite some of the texts", async () => {
    await using server = await startMockUpstream(answering({ verdict: "rewrite", texts: [null, "be well"] }));
    const verdict = await judge(server, "hello", "", "be gone");
    expect(editsOf(verdict)).toEqual([{ span: 2, start: 3, end: 7, replacement: "well" }]);
  });

  test("may rewrite nothing after all", async () => {
    await using server = await startMockUpstream(answering({ verdict: "rewrite", texts: ["hello"] }));
    expect(await judge(server, "hello")).toEqual({ type: "pass" });
  });

  test.each([
    { verdict: "maybe" },
    { verdict: "rewrite", texts: [] },
    { verdict: "rewrite", texts: [7] },
    { verdict: "deny", reason: "a".repeat(501) },
    { verdict: "pass", assessment: { all: "a".repeat(5_000) } },
    ["pass"],
  ])("is a failure when it is %j", async (answer) => {
    await using server = await startMockUpstream(answering(answer));
    await expect(judge(server, "hello")).rejects.toMatchObject({ code: "upstream.invalid" });
  });
});

test("a stream is judged in windows, however it is cut, and no part of what is refused gets out", async () => {
  await using server = await startMockUpstream((request, response) => {
    const { data } = JSON.parse(request.body.toString()) as { data: { texts: { text: string }[] } }; // as it was sent
    const texts = data.texts.map(({ text }) => text.replaceAll("secret plan", "[removed]"));
    response.writeHead(200).end(JSON.stringify({ verdict: "rewrite", texts }));
  });
  await using fetch = loopbackFetch();
  const config = { url: server.url, secret: "${secret:service-key}", window: { size: 64, overlap: 32 } };
  const guardrail = compileRemote(webhookGuardrail, config, serviceTools(fetch));
  const text = `${"Many words come first, of no matter. ".repeat(3)}Then the secret plan, and more words behind it all.`;
  await fc.assert(
    fc.asyncProperty(cutsOf(text), async (frames) => {
      const { passed, error } = await collect(frames, [attach(guardrail)]);
      expect([textOf(passed), error]).toEqual([text.replace("secret plan", "[removed]"), undefined]);
    }),
    { numRuns: 20 },
  );
}, 20_000);

test("the edit from one text to another makes the other, and splits no pair", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "😀", "😁", "\ud83d"), maxLength: 8 });
  fc.assert(
    fc.property(text, text, (from, to) => {
      const edits = editTo(0, from, to);
      expect(edited(from, edits)).toBe(to);
      if (from.isWellFormed() && to.isWellFormed()) {
        for (const { start, end, replacement } of edits) {
          expect(replacement.isWellFormed() && from.slice(start, end).isWellFormed()).toBe(true);
        }
      }
    }),
  );
});

test("a long text is split into pieces that hold every run that is no longer than the overlap", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", " ", "😀"), maxLength: 120 });
  fc.assert(
    fc.property(text, fc.integer({ min: 8, max: 40 }), (whole, most) => {
      const overlap = 3;
      const pieces = splitText(whole, most, overlap);
      expect(pieces.every((piece) => piece.length <= most)).toBe(true);
      for (let at = 0; at + overlap <= whole.length; at += 1) {
        const run = whole.slice(at, at + overlap);
        if (run.isWellFormed()) expect(pieces.some((piece) => piece.includes(run))).toBe(true);
      }
      if (whole.isWellFormed()) expect(pieces.every((piece) => piece.isWellFormed())).toBe(true);
    }),
  );
});

function answering(answer: unknown): Respond {
  return (_, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
  };
}

async function judge(server: MockUpstream, ...texts: readonly string[]) {
  await using fetch = loopbackFetch();
  const config = { url: server.url, secret: "${secret:service-key}" };
  const guardrail = compileRemote(webhookGuardrail, config, serviceTools(fetch));
  return await guardrail.inspect(userTexts(...texts), "request", guardedCall());
}
