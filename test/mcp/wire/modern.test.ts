import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeHeaderValue, encodeHeaderValue } from "../../../src/mcp/wire/modern.ts";

describe("a mirrored header's value", () => {
  test("carries any text, in characters that a header can hold", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (given) => {
        const text = given.toWellFormed();
        const encoded = encodeHeaderValue(text);
        expect(encoded).toMatch(/^[\x20-\x7e]*$/);
        expect(encoded).toBe(encoded.trim());
        expect(decodeHeaderValue(encoded)).toBe(text);
      }),
    );
  });

  test.each([
    { name: "plain text", value: "get_weather", text: "get_weather" },
    { name: "plain text that is base64", value: "SGVsbG8=", text: "SGVsbG8=" },
    { name: "a sentinel", value: "=?base64?SGVsbG8=?=", text: "Hello" },
    { name: "an empty sentinel", value: "=?base64??=", text: "" },
    { name: "a sentinel within text", value: "x =?base64?SGVsbG8=?=", text: "x =?base64?SGVsbG8=?=" },
  ])("$name is read", ({ value, text }) => {
    expect(decodeHeaderValue(value)).toBe(text);
  });

  test.each([
    { name: "a sentinel without its padding", value: "=?base64?SGVsbG8?=" },
    { name: "a sentinel with other characters", value: "=?base64?SGVs!!!bG8=?=" },
    { name: "a sentinel with bits to spare", value: "=?base64?SGVsbG9=?=" },
    { name: "a sentinel that is no UTF-8", value: "=?base64?/w==?=" },
    { name: "control characters", value: "a\u0000b" },
    { name: "characters beyond ASCII", value: "é" },
  ])("$name is none", ({ value }) => {
    expect(decodeHeaderValue(value)).toBeUndefined();
  });
});
