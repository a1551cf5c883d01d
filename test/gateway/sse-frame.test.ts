import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SseFrame, withData } from "../../src/gateway/sse-frame.ts";
import { parseSseEvent } from "../../src/kernel/sse.ts";

const name = fc.stringMatching(/^[a-z/]{1,20}$/);

describe("an event with other data", () => {
  test("keeps its name, id and retry time, and is one event, however many lines its data has", () => {
    fc.assert(
      fc.property(
        name,
        name,
        fc.nat(),
        fc.jsonValue({ maxDepth: 3 }),
        fc.constantFrom(0, 2),
        (event, id, retryMs, value, indent) => {
          const before = Buffer.from(`event: ${event}\nid: ${id}\nretry: ${retryMs}\ndata: {}\n\n`);
          const payload = JSON.stringify(value, undefined, indent);
          const frame = withData(new SseFrame(before), () => Buffer.from(payload));
          expect(parseSseEvent(frame.bytes)).toEqual({ event, id, retryMs, data: payload });
          expect(frame.message()).toEqual(JSON.parse(payload));
          expect(Buffer.from(frame.bytes).toString("utf8").split("\n\n")).toHaveLength(2);
        },
      ),
    );
  });
});

describe("an event", () => {
  test.each([
    { name: "a comment", text: ": heartbeat\n\n", isEmpty: true },
    { name: "an id alone", text: "id: 1\ndata: \n\n", isEmpty: true },
    { name: "data that is no JSON", text: "data: oops\n\n", isEmpty: false },
    { name: "a message", text: 'data: {"a":1}\n\n', isEmpty: false },
  ])("that is $name carries something: not $isEmpty", ({ text, isEmpty }) => {
    expect(new SseFrame(Buffer.from(text)).isEmpty).toBe(isEmpty);
  });
});
