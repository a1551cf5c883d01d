import { expect, test } from "vitest";
import { stringSpans } from "../../../src/gateway/llm/string-spans.ts";

const textsIn = (value: unknown): readonly string[] => stringSpans(value, [], "at", "user").map(({ text }) => text);

test("every argument of a call is a text, whatever its name", () => {
  const input = { status: "one", id: "two", role: "three", type: "four", data: "five", list: [{ format: "six" }] };
  const call = { type: "tool_use", id: "toolu_1", name: "f", input };
  expect(textsIn(call)).toEqual(["f", "one", "two", "three", "four", "five", "six"]);
});

test("what steers the protocol is none", () => {
  expect(textsIn({ type: "text", role: "user", id: "a", status: "done", stop_reason: "end_turn" })).toEqual([]);
});

test("words do not hide in such a member", () => {
  expect(textsIn({ stop_reason: "Two words", type: "Two words" })).toEqual(["Two words", "Two words"]);
});
