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
