import { describe, expect, test } from "vitest";
import type { ToolResult } from "../../../src/mcp/openapi/tool-result.ts";
import { operation } from "./tiny-description.ts";

const schema = { type: "object", required: ["id"], properties: { id: { type: "integer" } } };
const plain = operation("/x", {}, { method: "get" });
const declared = operation(
  "/x",
  { responses: { 200: { content: { "application/json": { schema } } } } },
  { method: "get" },
);

function answer(
  compiled: typeof plain,
  status: number,
  type: string | undefined,
  body: string | Uint8Array,
  isCut = false,
): ToolResult {
  const headers = type === undefined ? {} : { "content-type": type };
  return compiled.toToolResult({ status, headers, body: typeof body === "string" ? Buffer.from(body) : body, isCut });
}

describe("success", () => {
  test("with JSON is its text, and structured content where a schema was told", () => {
    expect(answer(plain, 200, "application/json", '{"id": 1}')).toEqual({
      content: [{ type: "text", text: '{"id": 1}' }],
    });
    expect(answer(declared, 200, "application/problem+json; charset=utf-8", '{"id": 1, "more": []}')).toEqual({
      content: [{ type: "text", text: '{"id": 1, "more": []}' }],
      structuredContent: { id: 1, more: [] },
    });
  });

  test.each([
    { name: "text", type: "text/html; charset=utf-8", body: "ü", content: { type: "text", text: "ü" } },
    {
      name: "text in its own charset",
      type: 'text/plain; charset="iso-8859-1"',
      body: Buffer.from([0xfc]),
      content: { type: "text", text: "ü" },
    },
    {
      name: "text in a charset that nobody knows",
      type: "text/plain; charset=klingon",
      body: "x",
      content: { type: "text", text: "x" },
    },
    {
      name: "a drawing, which is text",
      type: "image/svg+xml",
      body: "<svg/>",
      content: { type: "text", text: "<svg/>" },
    },
    {
      name: "a picture",
      type: "image/png",
      body: Buffer.from([0]),
      content: { type: "image", data: "AA==", mimeType: "image/png" },
    },
    {
      name: "a sound",
      type: "audio/mpeg",
      body: Buffer.from([0]),
      content: { type: "audio", data: "AA==", mimeType: "audio/mpeg" },
    },
    {
      name: "other bytes",
      type: "application/pdf",
      body: Buffer.from([0]),
      content: { type: "resource", resource: { uri: "answer:///get_x", mimeType: "application/pdf", blob: "AA==" } },
    },
    {
      name: "bytes without a type",
      type: undefined,
      body: Buffer.from([0]),
      content: {
        type: "resource",
        resource: { uri: "answer:///get_x", mimeType: "application/octet-stream", blob: "AA==" },
      },
    },
    { name: "text without a type", type: undefined, body: "x", content: { type: "text", text: "x" } },
    { name: "nothing", type: undefined, body: "", content: { type: "text", text: "HTTP 200, without content" } },
  ])("is $name", ({ type, body, content }) => {
    expect(answer(plain, 200, type, body)).toEqual({ content: [content] });
  });

  test("beyond the limit is cut where it is text, and told of where it is not", () => {
    const long = answer(plain, 200, "text/plain", "x".repeat(1_048_577));
    expect(long.content[0]).toMatchObject({ text: expect.stringMatching(/x\n\(cut here, after 1048576 bytes\)$/) });
    expect(answer(plain, 200, "image/png", Buffer.from([0]), true).content).toEqual([
      { type: "text", text: "HTTP 200: more than 1 bytes of image/png, more than can be passed on" },
    ]);
  });

  test.each([
    {
      name: "does not fit what was told",
      type: "application/json",
      body: '{"id":"1"}',
      reason: "id must be integer, not string",
    },
    {
      name: "is a list",
      type: "application/json",
      body: "[]",
      reason: "it is not a JSON object of a size that can be passed on",
    },
    {
      name: "is no JSON",
      type: "text/html",
      body: "<html>",
      reason: "it is not a JSON object of a size that can be passed on",
    },
    {
      name: "is nothing",
      type: undefined,
      body: "",
      reason: "it is not a JSON object of a size that can be passed on",
    },
    {
      name: "is nested without end",
      type: "application/json",
      body: `{"id":${"[".repeat(5_000)}${"]".repeat(5_000)}}`,
      reason: "it is not a JSON object of a size that can be passed on",
    },
  ])("that $name is an error that says that the call was made", ({ type, body, reason }) => {
    const result = answer(declared, 200, type, body);
    expect(result.isError).toBe(true);
    expect(result.structuredContent).toBeUndefined();
    expect(result.content[0]).toEqual({
      type: "text",
      text: `The call was made (HTTP 200), but the answer does not fit its description: ${reason}.`,
    });
  });
});

describe("any other status", () => {
  test("is an error with the status and the text, whatever was told of answers", () => {
    expect(answer(declared, 404, "application/json", '{"error":"none"}')).toEqual({
      content: [{ type: "text", text: 'HTTP 404\n{"error":"none"}' }],
      isError: true,
    });
    expect(answer(plain, 500, undefined, "")).toEqual({ content: [{ type: "text", text: "HTTP 500" }], isError: true });
  });

  test("that leads elsewhere says where, and when to come again", () => {
    const headers = { location: "https://elsewhere.test/", "retry-after": "5" };
    expect(plain.toToolResult({ status: 302, headers, body: Buffer.from("") })).toEqual({
      content: [{ type: "text", text: "HTTP 302\nLocation: https://elsewhere.test/ (not followed)\nRetry-After: 5" }],
      isError: true,
    });
  });

  test("with a long text, or bytes, stays short", () => {
    const [long] = answer(plain, 400, "text/plain", "x".repeat(100_000)).content;
    expect(JSON.stringify(long).length).toBeLessThan(17_000);
    expect(answer(plain, 502, "image/png", Buffer.from([0, 1])).content).toEqual([
      { type: "text", text: "HTTP 502\n(2 bytes of image/png)" },
    ]);
  });
});
