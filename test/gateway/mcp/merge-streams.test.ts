import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { mergeStreams } from "../../../src/gateway/mcp/merge-streams.ts";
import type { Frame } from "../../../src/pipeline/exchange.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void; // V8's own, by the flag above
const nothing = (): undefined => undefined;
const frame = (text: string): Frame => ({ bytes: Buffer.from(text), message: nothing });

async function* saying(...texts: readonly string[]): AsyncGenerator<Frame> {
  for (const text of texts) yield frame(text);
}

async function* silent(): AsyncGenerator<Frame> {
  await new Promise(nothing);
  yield frame("never");
}

async function textsOf(streams: readonly AsyncIterable<Frame>[]): Promise<readonly string[]> {
  const texts: string[] = [];
  for await (const piece of mergeStreams(new Map(streams.entries())))
    texts.push(
      "error" in piece
        ? `${piece.place}!${String(piece.error)}`
        : `${piece.place}:${Buffer.from(piece.frame.bytes).toString("utf8")}`,
    );
  return texts;
}

test("gives all frames of all streams, those of each in their order", async () => {
  const texts = await textsOf([saying("a", "b", "c"), saying(), saying("x", "y")]);
  expect(texts.filter((text) => text.startsWith("0"))).toEqual(["0:a", "0:b", "0:c"]);
  expect(texts.filter((text) => text.startsWith("2"))).toEqual(["2:x", "2:y"]);
  expect(texts).toHaveLength(5);
});

test("a stream that breaks says so and ends, and the others go on", async () => {
  async function* breaks(): AsyncGenerator<Frame> {
    yield frame("one");
    throw new TypeError("gone");
  }
  const texts = await textsOf([breaks(), saying("a", "b", "c")]);
  expect(texts.toSorted()).toEqual(["0!TypeError: gone", "0:one", "1:a", "1:b", "1:c"]);
});

test("holds no frame that was taken, however long another stream is silent", async () => {
  const early: WeakRef<Frame>[] = [];
  async function* many(): AsyncGenerator<Frame> {
    for (let at = 0; at < 1_000; at += 1) {
      const made = frame(String(at));
      if (at < 500) early.push(new WeakRef(made));
      yield made;
    }
  }
  let seen = 0;
  for await (const piece of mergeStreams(
    new Map([
      [0, many()],
      [1, silent()],
    ]),
  )) {
    expect(piece.place).toBe(0);
    seen += 1;
    if (seen < 1_000) continue;
    await new Promise(setImmediate);
    collectGarbage();
    expect(early.filter((held) => held.deref() !== undefined)).toEqual([]);
    break;
  }
});

test("asks no stream for a frame before its last one was taken", async () => {
  let made = 0;
  async function* counted(): AsyncGenerator<Frame> {
    for (;;) {
      made += 1;
      yield frame("x");
    }
  }
  const merged = mergeStreams(new Map([[0, counted()]]));
  await merged.next();
  await new Promise(setImmediate);
  expect(made).toBe(1);
  await merged.return(undefined);
});

test("lets go of the streams that still run when its reader leaves", async () => {
  let left = 0;
  async function* endless(): AsyncGenerator<Frame> {
    try {
      for (;;) yield frame("x");
    } finally {
      left += 1;
    }
  }
  for await (const _piece of mergeStreams(new Map([endless(), endless()].entries()))) break;
  await new Promise(setImmediate);
  expect(left).toBe(2);
});
