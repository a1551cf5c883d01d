import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bodilessRequest } from "../../../src/gateway/llm/llm-request.ts";
import { LlmStream } from "../../../src/gateway/llm/llm-stream.ts";
import { LlmStreamReader } from "../../../src/gateway/llm/llm-stream-reader.ts";
import { UpstreamBody } from "../../../src/gateway/upstream-body.ts";
import { GatewayError } from "../../../src/kernel/errors.ts";
import type { CompiledProvider } from "../../../src/pipeline/define-provider.ts";
import { openAiUsage } from "../../../src/routing/providers/openai-usage.ts";
import { buildOperation } from "../../kit/exchange.ts";
import { manualClock } from "../../kit/manual-clock.ts";

const provider: CompiledProvider = {
  baseUrl: "http://127.0.0.1",
  streamUsage: true,
  usage: openAiUsage,
  request: () => ({ method: "POST", path: "/", headers: {}, body: undefined }),
};

interface Relayed {
  readonly bytes: string;
  readonly error: string | undefined;
  readonly inputTokens: number | undefined;
}

type Form = "frames" | "pumped";

async function readFrames(stream: LlmStream, read: Uint8Array[]): Promise<void> {
  for await (const frame of stream) read.push(frame.bytes);
}

function readPumped(stream: LlmStream, read: Uint8Array[]): Promise<void> {
  return new Promise((resolve, reject) =>
    stream.pump({ write: (bytes) => void read.push(bytes), end: resolve, fail: reject }),
  );
}

/** What the client gets of these bytes, which arrive in pieces cut at `cuts` and end with a clean close or a reset. */
async function relay(
  bytes: Buffer,
  cuts: readonly number[],
  stripUsage: boolean,
  ending: "clean" | "reset",
  form: Form = "frames",
): Promise<Relayed> {
  const body = new UpstreamBody({ pause: () => {}, resume: () => {}, abort: () => {} });
  const operation = buildOperation({ stream: true, message: bodilessRequest("chat") });
  const options = { operation, provider, stripUsage, maxEventBytes: 1_000_000 };
  const read: Uint8Array[] = [];
  const reader = new LlmStreamReader({ ...options, isJudged: form === "frames" });
  const stream = new LlmStream(body, reader, manualClock());
  const reading = (form === "frames" ? readFrames(stream, read) : readPumped(stream, read)).then(
    () => undefined,
    (error: unknown) => (error instanceof GatewayError ? error.code : String(error)),
  );
  const places = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].toSorted(
    (a, b) => a - b,
  );
  for (const [index, from] of places.entries()) {
    const piece = bytes.subarray(from, places[index + 1] ?? bytes.length);
    if (piece.length > 0) body.push(Buffer.from(piece));
    if (index % 3 === 0) await Promise.resolve(); // sometimes the reader keeps up, sometimes not
  }
  if (ending === "clean") body.end();
  else body.fail(new GatewayError("upstream.reset", "cut"));
  const error = await reading;
  return { bytes: Buffer.concat(read).toString("latin1"), error, inputTokens: operation.usage?.inputTokens };
}

const newline = fc.constantFrom("\n", "\r\n", "\r");
const text = fc.string({ unit: "grapheme", maxLength: 12 });
const event = fc.oneof(
  {
    weight: 5,
    arbitrary: text.map((content) => ({
      choices: [{ index: 0, delta: { content }, finish_reason: null }],
      usage: null,
    })),
  },
  {
    weight: 1,
    arbitrary: text.map((content) => ({
      usage: null,
      choices: [{ delta: { content: `"usage":null,"error":{${content}` } }],
    })),
  },
);
const heartbeat = fc.constantFrom(": ping", ":", "event: x");

const stream = fc.record({
  end: newline,
  items: fc.array(fc.oneof({ weight: 4, arbitrary: event }, { weight: 1, arbitrary: heartbeat }), {
    minLength: 1,
    maxLength: 8,
  }),
  space: fc.constantFrom("", " "),
  bom: fc.boolean(),
});

function write(
  { end, items, space, bom }: typeof stream extends fc.Arbitrary<infer Stream> ? Stream : never,
  keepUsage: boolean,
): string {
  const line = (item: object | string): string => {
    if (typeof item === "string") return item;
    const kept = keepUsage ? item : Object.fromEntries(Object.entries(item).filter(([name]) => name !== "usage"));
    return `data:${space}${JSON.stringify(kept)}`;
  };
  return (bom ? "\uFEFF" : "") + items.map((item) => `${line(item)}${end}${end}`).join("");
}

// Where a CRLF is cut in two, the line feed of an event that was taken out stays as an empty line: it means nothing.
const oneEnd = (bytes: string): string => bytes.replace(/[\r\n]+/g, "\n");

const cutsOf = fc.array(fc.nat(), { maxLength: 30 });
const latin1 = (written: string): string => Buffer.from(written).toString("latin1");

describe.each<Form>(["frames", "pumped"])("read as %s,", (form) => {
  test("a stream reaches the client byte for byte, wherever its bytes were cut", async () => {
    await fc.assert(
      fc.asyncProperty(stream, cutsOf, async (parts, cuts) => {
        const sent = `${write(parts, true)}data: [DONE]${parts.end}${parts.end}`;
        const relayed = await relay(Buffer.from(sent), cuts, false, "clean", form);
        expect(relayed.error).toBeUndefined();
        // The line feed of a last CRLF that comes in a piece of its own is behind the end of the stream.
        const missing = latin1(sent).slice(relayed.bytes.length);
        expect(relayed.bytes + missing).toBe(latin1(sent));
        expect(["", "\n"]).toContain(missing);
      }),
    );
  });

  test("usage that was not asked for is gone, all else stands, and it is counted, wherever the bytes were cut", async () => {
    await fc.assert(
      fc.asyncProperty(stream, cutsOf, async (parts, cuts) => {
        const { end } = parts;
        const usage = `data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":1}}${end}${end}`;
        const last = `data: [DONE]${end}${end}`;
        const relayed = await relay(Buffer.from(write(parts, true) + usage + last), cuts, true, "clean", form);
        expect(oneEnd(relayed.bytes)).toBe(oneEnd(latin1(write(parts, false) + last)));
        expect(relayed).toMatchObject({ error: undefined, inputTokens: 7 });
      }),
    );
  });

  test("a stream that breaks off anywhere before [DONE] is told as broken, and what was whole before it has arrived", async () => {
    await fc.assert(
      fc.asyncProperty(stream, cutsOf, fc.nat(), fc.constantFrom("clean", "reset"), async (parts, cuts, at, ending) => {
        const whole = Buffer.from(write(parts, true));
        const relayed = await relay(whole.subarray(0, at % (whole.length + 1)), cuts, false, ending, form);
        expect(relayed.error).toBe("upstream.reset");
        expect(whole.toString("latin1").startsWith(relayed.bytes)).toBe(true);
      }),
    );
  });
});
