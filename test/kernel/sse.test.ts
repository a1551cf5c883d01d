import { createParser } from "eventsource-parser";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSseSplitter, parseSseEvent } from "../../src/kernel/sse.ts";

interface Split {
  readonly pieces: readonly Uint8Array[];
  readonly rest: Uint8Array;
}

function split(chunks: readonly Uint8Array[], maxEventBytes = 1_000_000): Split {
  const splitter = createSseSplitter({ maxEventBytes });
  const pieces = chunks.flatMap((chunk) => splitter.push(chunk));
  return { pieces, rest: splitter.rest() };
}

/** Pieces that are events, without the line end that a cut may part from them. */
function events({ pieces }: Split): string[] {
  return pieces
    .map((piece) =>
      Buffer.from(piece)
        .toString("latin1")
        .replace(/[\r\n]+$/, ""),
    )
    .filter((text) => text !== "");
}

/** A stream of fields, comments and blank lines in one of many spellings, ended or cut; characters of 1 to 4 bytes. */
const lineEnd = fc.constantFrom("\n", "\r", "\r\n");
const text = fc.string({ unit: fc.constantFrom("a", " ", ":", "{", '"', "ä", "€", "😀", "0"), maxLength: 8 });
const field = fc
  .tuple(
    fc.constantFrom("data", "event", "id", "retry", "", "datax", "data "),
    fc.constantFrom(":", ": ", ":  ", ""),
    text,
  )
  .map(([name, colon, value]) => (colon === "" ? name : name + colon + value));
const streamText = fc
  .array(fc.tuple(fc.oneof({ weight: 3, arbitrary: field }, { weight: 2, arbitrary: fc.constant("") }), lineEnd), {
    maxLength: 25,
  })
  .map((lines) => lines.map((line) => line.join("")).join(""));
const streamBytes = fc.tuple(fc.boolean(), streamText).map(([bom, body]) => Buffer.from((bom ? "\uFEFF" : "") + body));

const cutStream = streamBytes.chain((bytes) =>
  fc.tuple(
    fc.constant(bytes),
    fc.array(fc.nat({ max: bytes.length }), { maxLength: 12 }).map((cuts) => {
      const places = [0, ...cuts.toSorted((left, right) => left - right), bytes.length];
      return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
    }),
  ),
);

describe("cutting a stream into events", () => {
  test("no byte is lost, added or moved, however the stream arrives", () => {
    fc.assert(
      fc.property(cutStream, ([bytes, chunks]) => {
        const { pieces, rest } = split(chunks);
        expect(Buffer.concat([...pieces, rest]).equals(bytes)).toBe(true);
      }),
    );
  });

  test("the events are the same however the stream arrives", () => {
    fc.assert(
      fc.property(cutStream, ([bytes, chunks]) => {
        expect(events(split(chunks))).toEqual(events(split([bytes])));
        expect(split(chunks).rest).toEqual(split([bytes]).rest);
        expect(events(split([...bytes].map((byte) => Uint8Array.of(byte))))).toEqual(events(split([bytes])));
      }),
    );
  });

  test("an event goes out with the byte that completes it", () => {
    const splitter = createSseSplitter({ maxEventBytes: 100 });
    expect(splitter.push(Buffer.from("data: 1\n"))).toEqual([]);
    expect(splitter.push(Buffer.from("\n"))).toEqual([Buffer.from("data: 1\n\n")]);
    expect(splitter.push(Buffer.from("data: 2\r\r"))).toEqual([Buffer.from("data: 2\r\r")]);
  });

  test.each([
    "data: x\n\n",
    "data: x\r\n\r\n",
    "data: x\r\r",
    "data: x\n\n\n\n",
    ": ping\n\n",
    "\n",
    "",
    "data: x\r\n\r\n\r\n",
  ])("a stream that ended properly leaves no rest, one byte at a time: %j", (whole) => {
    const bytes = [...Buffer.from(whole)].map((byte) => Uint8Array.of(byte));
    expect(split(bytes).rest).toHaveLength(0);
  });

  test.each(["data: x", "data: x\n", "data: x\r\n", "data: 1\n\ndata: [DONE]"])(
    "a stream that was cut leaves a rest: %j",
    (cut) => {
      expect(split([Buffer.from(cut)]).rest.length).toBeGreaterThan(0);
    },
  );

  test("an event that is too large throws, whether it arrives at once or in pieces, and one at the limit does not", () => {
    const event = Buffer.from(`data: ${"x".repeat(90)}\n\n`);
    for (const size of [1, 7, 98, 1_000]) {
      const chunks: Buffer[] = [];
      for (let at = 0; at < event.length; at += size) chunks.push(event.subarray(at, at + size));
      expect(events(split(chunks, event.length))).toHaveLength(1);
      expect(() => split(chunks, event.length - 1)).toThrow(expect.objectContaining({ code: "upstream.too_large" }));
    }
  });

  test("any number of small events passes a small limit", () => {
    const many = Buffer.from("data: 1\n\n".repeat(1_000));
    expect(events(split([many], 9))).toHaveLength(1_000);
  });
});

describe("the fields of an event", () => {
  test.each([
    { name: "several data lines are joined", text: "data: a\ndata: b\n\n", event: { data: "a\nb" } },
    { name: "one space behind the colon is not data", text: "data:  a\n\n", event: { data: " a" } },
    { name: "no space is needed", text: "data:a\n\n", event: { data: "a" } },
    { name: "a field without a colon is empty", text: "data\n\n", event: { data: "" } },
    { name: "comments carry nothing", text: ": ping\n\n", event: { data: undefined, event: undefined } },
    {
      name: "the last of several types holds",
      text: "event: a\nevent: b\ndata: x\n\n",
      event: { event: "b", data: "x" },
    },
    { name: "an id with a NUL is no id", text: "id: a\0b\ndata: x\n\n", event: { id: undefined } },
    { name: "a retry that is no number is none", text: "retry: 1s\ndata: x\n\n", event: { retryMs: undefined } },
    { name: "a retry is milliseconds", text: "retry: 1500\ndata: x\n\n", event: { retryMs: 1500 } },
    { name: "unknown fields are passed over", text: "Data: x\ndatax: y\n\n", event: { data: undefined } },
    { name: "a byte order mark is skipped", text: "\uFEFFdata: x\n\n", event: { data: "x" } },
    { name: "lines end in CR and CRLF too", text: "event: e\rdata: x\r\n\r\n", event: { event: "e", data: "x" } },
  ])("$name", ({ text: source, event }) => {
    expect(parseSseEvent(Buffer.from(source))).toMatchObject(event);
  });

  test("an independent parser finds the same events in any stream", () => {
    fc.assert(
      fc.property(cutStream, ([bytes, chunks]) => {
        const expected: unknown[] = [];
        const parser = createParser({
          onEvent: ({ event, data }) => expected.push({ event: event || undefined, data }),
        });
        parser.feed(`${bytes.toString("utf8")}`);
        parser.reset();
        const found = split(chunks)
          .pieces.map((piece) => parseSseEvent(piece))
          .filter((event) => event.data !== undefined)
          .map(({ event, data }) => ({ event: event || undefined, data }));
        expect(found.slice(0, expected.length)).toEqual(expected);
        // It waits for a line feed behind a last CR, so it may be one event behind a stream that ends there.
        expect(found.length - expected.length).toBeLessThanOrEqual(bytes.at(-1) === 0x0d ? 1 : 0);
      }),
    );
  });
});
