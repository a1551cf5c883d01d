import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { UpstreamClient } from "../../src/gateway/upstream.ts";
import { createUpstreamClient } from "../../src/gateway/upstream.ts";
import { UpstreamBody } from "../../src/gateway/upstream-body.ts";
import { Cancellation } from "../../src/kernel/cancellation.ts";
import { GatewayError } from "../../src/kernel/errors.ts";
import { eventually } from "../kit/eventually.ts";
import type { ManualClock } from "../kit/manual-clock.ts";
import { manualClock } from "../kit/manual-clock.ts";
import { startMockUpstream } from "../kit/mock-upstream.ts";

const timeouts = { connectMs: 10_000, firstByteMs: 10_000, idleMs: 10_000 };
const request = { method: "GET" as const, path: "/", headers: {}, body: undefined, timeouts };

describe("a call", () => {
  let client: UpstreamClient;
  let clock: ManualClock;

  beforeEach(() => {
    clock = manualClock();
    client = createUpstreamClient({
      lookup: () => {}, // a name server that never answers
      assertHost(host) {
        if (host === "169.254.169.254") throw new GatewayError("upstream.refused_address", "No.");
      },
      clock,
    });
  });

  afterEach(() => client[Symbol.asyncDispose]());

  test("whose caller leaves while it connects ends at once", async () => {
    const cancellation = new Cancellation();
    const call = client.send({ ...request, origin: "http://far.test", cancellation });
    cancellation.cancel(new GatewayError("client.closed", "gone"));
    await expect(call).rejects.toMatchObject({ code: "client.closed" });
  });

  test("whose caller has left is not made", async () => {
    await using upstream = await startMockUpstream();
    const cancellation = new Cancellation();
    cancellation.cancel(new GatewayError("client.closed", "gone"));
    await expect(client.send({ ...request, origin: upstream.url, cancellation })).rejects.toMatchObject({
      code: "client.closed",
    });
    expect([upstream.seen.length, upstream.openSockets]).toEqual([0, 0]);
  });

  test("that cannot be put on the wire is our fault and not the upstream's", async () => {
    await using upstream = await startMockUpstream();
    const cancellation = new Cancellation();
    const call = client.send({ ...request, origin: upstream.url, headers: { "x-far": "two\nlines" }, cancellation });
    await expect(call).rejects.toMatchObject({ code: "internal" });
  });

  test("leaves its connection open for the next one, until nobody has called there for ten minutes", async () => {
    await using upstream = await startMockUpstream();
    const cancellation = new Cancellation();
    const call = async () => (await client.send({ ...request, origin: upstream.url, cancellation })).body.whole(1_000);
    await call();
    clock.advance(599_000);
    await call();
    clock.advance(599_000);
    expect(upstream.openSockets).toBeGreaterThan(0);
    clock.advance(601_000);
    await eventually("the connection is closed", () => upstream.openSockets === 0);
    await call();
    expect(upstream.openSockets).toBeGreaterThan(0);
  });

  test("that takes longer than that keeps its connection", async () => {
    const waiting = Promise.withResolvers<() => void>();
    await using upstream = await startMockUpstream((_request, response) => {
      waiting.resolve(() => void response.end("late"));
    });
    const cancellation = new Cancellation();
    const call = client.send({ ...request, origin: upstream.url, cancellation });
    const answer = await waiting.promise;
    clock.advance(3_600_000);
    answer();
    expect((await (await call).body.whole(1_000)).toString()).toBe("late");
  });

  test("to an address that is not permitted is not made", async () => {
    const cancellation = new Cancellation();
    const call = client.send({ ...request, origin: "http://169.254.169.254", cancellation });
    await expect(call).rejects.toMatchObject({ code: "upstream.refused_address" });
  });
});

describe("a body", () => {
  function scene() {
    const seen: string[] = [];
    const body = new UpstreamBody({
      pause: () => seen.push("pause"),
      resume: () => seen.push("resume"),
      abort(reason) {
        seen.push("abort");
        body.fail(reason); // as undici reports it
      },
    });
    return { body, seen };
  }
  const kilobytes = (count: number) => Buffer.alloc(count * 1_024);

  test("holds its socket back while nobody reads, and lets it go on when it was read", async () => {
    const { body, seen } = scene();
    for (let at = 0; at < 3; at += 1) body.push(kilobytes(40));
    expect(seen).toEqual(["pause"]);
    const chunks = body.chunks();
    for (let at = 0; at < 3; at += 1) await chunks.next();
    expect(seen).toEqual(["pause", "resume"]);
    await chunks.return(undefined);
    expect(seen).toEqual(["pause", "resume", "abort"]);
  });

  test.each([
    ["before it is asked for", true],
    ["while it is waited for", false],
  ])("beyond the limit is refused when it comes %s", async (_name, early) => {
    const { body } = scene();
    const fill = (): void => {
      body.push(kilobytes(3));
      body.end();
    };
    if (early) fill();
    const whole = (async () => body.whole(2_048))();
    if (!early) fill();
    await expect(whole).rejects.toMatchObject({ code: "upstream.too_large" });
  });

  test("that is not needed to its end is read away, and given up when it does not end", () => {
    const clock = manualClock();
    const ends = scene();
    ends.body.release(clock, 1_000);
    ends.body.push(kilobytes(500));
    ends.body.end();
    const goesOn = scene();
    goesOn.body.release(clock, 1_000);
    clock.advance(1_000);
    expect([ends.seen, goesOn.seen]).toEqual([[], ["abort"]]);
  });

  test("that broke off gives what had come, and then the fault", async () => {
    const { body } = scene();
    body.push(kilobytes(1));
    body.fail(new GatewayError("upstream.reset", "cut"));
    const chunks = body.chunks();
    expect((await chunks.next()).value).toHaveLength(1_024);
    await expect(chunks.next()).rejects.toMatchObject({ code: "upstream.reset" });
  });
});
