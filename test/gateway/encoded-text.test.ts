import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodedText } from "../../src/gateway/encoded-text.ts";
import { stringSpans } from "../../src/gateway/llm/string-spans.ts";
import { editFrame, frameSpans } from "../../src/gateway/mcp/mcp-spans.ts";
import { parseJson } from "../../src/kernel/parse-json.ts";
import { buildOperation } from "../kit/exchange.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const picture = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 255, 254]).toString("base64");

describe("a text in letters", () => {
  test("is found behind base64 and comes back in the same form", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", minLength: 1 }),
        fc.constantFrom("", "data:text/plain;base64,"),
        (text, head) => {
          fc.pre(!text.includes("\0") && text.isWellFormed());
          const found = encodedText(head + base64(text));
          expect(found?.text).toBe(text);
          expect(found?.encode(text)).toBe(head + base64(text));
        },
      ),
    );
  });

  test("is found in a URL without base64", () => {
    const found = encodedText("data:text/plain,a%20tiger");
    expect([found?.text, found?.encode("a b")]).toEqual(["a tiger", "data:text/plain,a%20b"]);
  });

  test.each([
    ["a picture", picture],
    ["a long picture", Buffer.concat([Buffer.alloc(10_000, 0x61), Buffer.from([0xff])]).toString("base64")],
    ["bytes with a NUL", base64("a\0b")],
    ["nothing", ""],
    ["what is no base64", "a b!"],
    ["a URL that cannot be decoded", "data:,%ff"],
  ])("is not found in %s", (_name, value) => {
    expect(encodedText(value)).toBeUndefined();
  });
});

test("a file of a chat is judged where it is a text, whatever it says to be", () => {
  const texts = (part: object) => stringSpans(part, [], "at", "user").map(({ text }) => text);
  const long = "a tiger ".repeat(40);
  expect(texts({ type: "file", file: { file_data: `data:image/png;base64,${base64(long)}` } })).toEqual([long]);
  expect(texts({ type: "image", source: { type: "base64", media_type: "image/png", data: base64(long) } })).toEqual([
    long,
  ]);
  expect(texts({ type: "image", source: { type: "base64", data: picture.repeat(30) } })).toEqual([]);
});

test("a blob of a resource is judged and rewritten where it is a text", () => {
  const message = {
    jsonrpc: "2.0",
    id: 1,
    result: { contents: [{ uri: "file:///a", mimeType: "text/plain", blob: base64("a tiger") }, { blob: picture }] },
  };
  const bytes = Buffer.from(JSON.stringify(message));
  const frame = { bytes, message: () => parseJson(bytes.toString()) };
  const operation = buildOperation();
  const spans = frameSpans(operation, frame);
  expect(spans.map(({ text }) => text)).toEqual(["file:///a", "a tiger"]);
  const edited = editFrame(operation, frame, spans, [{ span: 1, start: 2, end: 7, replacement: "[cat]" }]);
  const written = Buffer.from(edited.bytes).toString();
  expect(written).toBe(JSON.stringify(message).replace(base64("a tiger"), base64("a [cat]")));
});
