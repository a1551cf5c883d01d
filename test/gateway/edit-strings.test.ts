import fc from "fast-check";
import { expect, test } from "vitest";
import { editStrings } from "../../src/gateway/edit-strings.ts";
import type { McpRequest } from "../../src/gateway/mcp/mcp-request.ts";
import { nothingSeen } from "../../src/gateway/mcp/mcp-request.ts";
import { editRequest, requestSpans } from "../../src/gateway/mcp/mcp-spans.ts";
import type { SpanEdit } from "../../src/pipeline/define-guardrail.ts";
import { buildOperation } from "../kit/exchange.ts";

const edit = (span: number, start: number, end: number, replacement: string): SpanEdit => ({
  span,
  start,
  end,
  replacement,
});

test("several edits of one string are all made, in whatever order they come", () => {
  const span = { place: "a", text: "one two three", author: "user", path: ["a"] } as const;
  const edits = [edit(0, 8, 13, "3"), edit(0, 0, 3, "1"), edit(0, 4, 4, "<"), edit(0, 4, 7, "2")];
  expect(editStrings(Buffer.from('{ "a": "one two three", "b": 1.0 }'), [span], edits).toString()).toBe(
    '{ "a": "1 <2 3", "b": 1.0 }',
  );
});

test("a string that is not there any more is no edit that was made", () => {
  const span = { place: "a", text: "x", author: "user", path: ["a"] } as const;
  expect(() => editStrings(Buffer.from('{"b":"x"}'), [span], [edit(0, 0, 1, "y")])).toThrow(
    expect.objectContaining({ code: "policy.failed" }),
  );
});

// A body that a client may send must not hold up all others: by a walk for each string, this takes ten seconds.
test("ten thousand strings of a megabyte, and as many edits of one, are rewritten within a second", () => {
  const strings = Array.from({ length: 10_000 }, () => "x".repeat(90));
  const params = { name: "echo", arguments: { strings, one: "y".repeat(100_000) } };
  const own: McpRequest = {
    type: "message",
    message: { type: "request", id: 1, method: "tools/call", params },
    era: "legacy",
    protocolVersion: undefined,
    session: undefined,
    target: { type: "tool", names: ["echo"] },
    mirrored: new Map(),
    seen: nothingSeen(),
  };
  const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params }));
  const operation = buildOperation({ body, message: own });
  const startedMs = performance.now();
  const spans = requestSpans(operation);
  const edits = spans.flatMap(({ text }, at) => {
    if (text.startsWith("x")) return [edit(at, 0, 10, "z")];
    return text.startsWith("y") ? Array.from({ length: 10_000 }, (_, n) => edit(at, n * 10, n * 10 + 1, "z")) : [];
  });
  expect(edits.length).toBe(20_000);
  editRequest(operation, spans, edits);
  expect(performance.now() - startedMs).toBeLessThan(1_000);
  expect(operation.body.toString()).not.toContain("x".repeat(81));
});

test("a string is edited where its characters stand, however it is written, and keeps every other byte", () => {
  const char = fc.oneof(
    fc.constantFrom("a", "é", "€", "😀", '"', "\\", "/", "\n", "\u0000", "\ud83d", "\u2028"),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
  );
  const spelling = fc.constantFrom("as it is", "escaped");
  const written = fc.array(fc.tuple(char, spelling), { maxLength: 30 });
  const picks = fc.array(fc.tuple(fc.nat(60), fc.nat(60), fc.string({ maxLength: 5 })), { maxLength: 4 });
  fc.assert(
    fc.property(written, picks, (chars, wanted) => {
      const text = chars.map(([each]) => each).join("");
      const raw = chars.map(([each, how]) => (how === "escaped" ? escaped(each) : plainly(each))).join("");
      const ends = wanted.flatMap(([from, to]) => [from % (text.length + 1), to % (text.length + 1)]).sort(byNumber);
      const edits = wanted.map(([, , put], at) => edit(0, ends[2 * at] ?? 0, ends[2 * at + 1] ?? 0, put));
      const span = { place: "a", text: JSON.parse(`"${raw}"`) as string, author: "user", path: ["a"] } as const;
      const source = Buffer.from(`{"n":1.0,"a":"${raw}","z":[]}`);
      const bytes = editStrings(source, [span], edits);
      expect(editStrings(source, [span], edits, { isStrict: true })).toEqual(bytes);
      let meant = span.text;
      for (const { start, end, replacement } of edits.toReversed())
        meant = meant.slice(0, start) + replacement + meant.slice(end);
      expect((JSON.parse(bytes.toString()) as { a: string }).a).toBe(meant);
      expect(bytes.toString().startsWith('{"n":1.0,"a":"') && bytes.toString().endsWith(',"z":[]}')).toBe(true);
    }),
  );
});

test("what is not edited of a string stays as it was written", () => {
  const span = { place: "a", text: "/é/x/", author: "user", path: ["a"] } as const;
  const bytes = Buffer.from('{"a":"\\/\\u00e9/x\\u002F"}');
  expect(editStrings(bytes, [span], [edit(0, 3, 4, "é")]).toString()).toBe('{"a":"\\/\\u00e9/é\\u002F"}');
});

function plainly(char: string): string {
  return JSON.stringify(char).slice(1, -1);
}

function escaped(char: string): string {
  return char
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}

function byNumber(left: number, right: number): number {
  return left - right;
}
