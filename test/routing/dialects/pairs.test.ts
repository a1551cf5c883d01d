import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DialectId } from "../../../src/pipeline/define-provider.ts";
import { anthropicMessages } from "../../../src/routing/dialects/anthropic/anthropic-messages.ts";
import type { AnswerPart, ChatAnswer, ChatDelta } from "../../../src/routing/dialects/chat-answer.ts";
import type { ChatRequest } from "../../../src/routing/dialects/chat-request.ts";
import type { AnswerContext, Dialect, WireEvent } from "../../../src/routing/dialects/dialect.ts";
import { openAiChat } from "../../../src/routing/dialects/openai-chat/openai-chat.ts";
import { openAiResponses } from "../../../src/routing/dialects/openai-responses/openai-responses.ts";

const dialects: readonly Dialect[] = [openAiChat, openAiResponses, anthropicMessages];

const text = fc.string({ minLength: 1, maxLength: 20, unit: "binary" });
const id = fc.stringMatching(/^[a-z][\w-]{0,12}$/);
const json = fc.dictionary(id, fc.oneof(fc.integer(), fc.string(), fc.boolean())).map((value) => JSON.stringify(value));

/** Answers as every dialect can tell them: one text at most between two calls, thoughts in front. */
const parts = (of: DialectId): fc.Arbitrary<readonly AnswerPart[]> =>
  fc
    .record({
      thought: fc.option(fc.record({ text, value: id }), { nil: undefined }),
      text: fc.option(text, { nil: undefined }),
      calls: fc.uniqueArray(fc.record({ id, name: id, json }), { maxLength: 3, selector: (call) => call.id }),
    })
    .map(({ thought, text: said, calls }) => [
      ...(thought === undefined
        ? []
        : [{ type: "reasoning" as const, text: thought.text, signature: { of, value: thought.value } }]),
      ...(said === undefined ? [] : [{ type: "text" as const, text: said }]),
      ...calls.map((call) => ({ type: "tool-call" as const, id: call.id, name: call.name, arguments: call.json })),
    ]);

const context = (dialect: Dialect): AnswerContext => ({
  request: requestOf(dialect),
  exchangeId: "x",
  nowMs: 5_000,
});

function requestOf(dialect: Dialect): ChatRequest {
  const messages = [{ role: "user", content: "hi" }];
  const options = { stream: true, ...(dialect === openAiChat ? { stream_options: { include_usage: true } } : {}) };
  return dialect.readRequest(
    dialect === openAiResponses ? { model: "m", input: messages, ...options } : { model: "m", messages, ...options },
  );
}

const usage = { inputTokens: 9, outputTokens: 4, cachedInputTokens: 3, reasoningTokens: 0, source: "actual" as const };

describe.each(dialects.map((dialect) => ({ name: dialect.id, dialect })))("$name", ({ dialect }) => {
  test("keeps the meaning of an answer, told and read again", () => {
    fc.assert(
      fc.property(parts(dialect.id), (told) => {
        const finish = told.some(({ type }) => type === "tool-call") ? ("tool-calls" as const) : ("stop" as const);
        const answer: ChatAnswer = {
          id: "a",
          model: "m",
          createdAtMs: 3_000,
          candidates: [{ index: 0, parts: told, finish }],
          usage,
        };
        const again = dialect.readAnswer(dialect.writeAnswer(answer, context(dialect)));
        expect(again.candidates[0]?.finish).toBe(finish);
        expect(meaning(again.candidates[0]?.parts ?? [])).toEqual(meaning(told));
        expect(again.usage).toMatchObject(usage);
      }),
    );
  });

  test("keeps the meaning of a stream, whatever the pieces are", () => {
    fc.assert(
      fc.property(parts(dialect.id), fc.integer({ min: 1, max: 7 }), (told, size) => {
        const writer = dialect.deltaWriter(context(dialect));
        const events = [...deltasOf(told, size).flatMap((delta) => writer.write(delta)), ...writer.end()];
        const reader = dialect.deltaReader();
        const again = assembled(events, (event) => reader.read(event));
        expect(reader.end()).toBe(true);
        expect(meaning(again)).toEqual(meaning(told));
      }),
    );
  });

  test("never calls a stream whole that lost its end", () => {
    fc.assert(
      fc.property(parts(dialect.id), fc.nat(), (told, cut) => {
        const writer = dialect.deltaWriter(context(dialect));
        const events = [...deltasOf(told, 5).flatMap((delta) => writer.write(delta)), ...writer.end()];
        const finish = events.findIndex(({ data }) => endsIt(data));
        const reader = dialect.deltaReader();
        for (const event of events.slice(0, cut % finish)) reader.read(event);
        expect(reader.end()).toBe(false);
      }),
    );
  });
});

/** Where a stream says for the first time that it is whole. */
function endsIt(data: unknown): boolean {
  const written = JSON.stringify(data);
  return /"finish_reason":"|"type":"message_stop"|"type":"response\.completed"/.test(written);
}

function deltasOf(told: readonly AnswerPart[], size: number): readonly ChatDelta[] {
  const deltas: ChatDelta[] = [{ type: "start", id: "a", model: "m", createdAtMs: 3_000 }];
  for (const [part, each] of told.entries()) {
    const whole = each.type === "tool-call" ? each.arguments : each.text;
    deltas.push({
      type: "open",
      candidate: 0,
      part,
      of: each.type === "tool-call" ? { type: each.type, id: each.id, name: each.name } : { type: each.type },
    });
    for (let at = 0; at < whole.length; at += size) {
      deltas.push({ type: "more", candidate: 0, part, text: whole.slice(at, at + size) });
    }
    const signature = "signature" in each ? each.signature : undefined;
    if (signature !== undefined) deltas.push({ type: "signature", candidate: 0, part, signature });
    deltas.push({ type: "close", candidate: 0, part });
  }
  const reason = told.some(({ type }) => type === "tool-call") ? "tool-calls" : "stop";
  return [...deltas, { type: "finish", candidate: 0, reason }, { type: "usage", usage }];
}

function assembled(
  events: readonly WireEvent[],
  read: (event: WireEvent) => readonly ChatDelta[],
): readonly AnswerPart[] {
  const made: { part: AnswerPart }[] = [];
  for (const delta of events.flatMap(read)) {
    if (delta.type === "open") {
      const { of } = delta;
      made[delta.part] = { part: of.type === "tool-call" ? { ...of, arguments: "" } : { type: of.type, text: "" } };
    }
    const open = "part" in delta ? made[delta.part] : undefined;
    if (open === undefined) continue;
    const { part } = open;
    if (delta.type === "signature" && (part.type === "reasoning" || part.type === "tool-call")) {
      open.part = { ...part, signature: delta.signature };
    }
    if (delta.type !== "more") continue;
    open.part =
      part.type === "tool-call"
        ? { ...part, arguments: part.arguments + delta.text }
        : { ...part, text: part.text + delta.text };
  }
  return made.map(({ part }) => part);
}

/** What must not change: texts, calls and their arguments, thoughts; proofs of thoughts only where the dialect carries them whole. */
function meaning(told: readonly AnswerPart[]): unknown {
  return told.map((part) => {
    if (part.type === "tool-call") {
      const given: unknown = JSON.parse(part.arguments === "" ? "{}" : part.arguments);
      return [part.id, part.name, given];
    }
    return [part.type, part.text];
  });
}
