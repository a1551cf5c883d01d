import { expect, test } from "vitest";
import { createUpstreamEra } from "../../../../src/gateway/mcp/upstream-server/upstream-era.ts";
import { manualClock } from "../../../kit/manual-clock.ts";

test("a verdict holds for ten minutes and has its date", async () => {
  const clock = manualClock();
  const era = createUpstreamEra("auto", clock);
  expect(era.known()).toBeUndefined();
  expect(await era.find(() => Promise.resolve("modern"))).toBe("modern");
  expect(era.foundAtMs()).toBe(clock.now());
  clock.advance(599_999);
  expect(era.known()).toBe("modern");
  clock.advance(1);
  expect(era.known()).toBeUndefined();
  expect(await era.find(() => Promise.resolve("legacy"))).toBe("legacy");
});

test("a probe that proves nothing leaves the last verdict for this call, and is asked again for the next", async () => {
  const clock = manualClock();
  const era = createUpstreamEra("auto", clock);
  expect(await era.find(() => Promise.resolve(undefined))).toBeUndefined();
  await era.find(() => Promise.resolve("modern"));
  clock.advance(600_000);
  let asked = 0;
  const nothing = (): Promise<undefined> => {
    asked += 1;
    return Promise.resolve(undefined);
  };
  expect(await era.find(nothing)).toBe("modern");
  expect(await era.find(nothing)).toBe("modern");
  expect(asked).toBe(2);
});

test("all who wait wait for one probe, and a probe that throws is not the last", async () => {
  const era = createUpstreamEra("auto", manualClock());
  const probe = Promise.withResolvers<"legacy">();
  let asked = 0;
  const find = (): Promise<string | undefined> =>
    era.find(() => {
      asked += 1;
      return probe.promise;
    });
  const waiting = [find(), find()];
  probe.reject(new Error("away"));
  expect((await Promise.allSettled(waiting)).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(asked).toBe(1);
  expect(await era.find(() => Promise.resolve("legacy"))).toBe("legacy");
});

test("what the operator has set is never asked for", async () => {
  const era = createUpstreamEra("legacy", manualClock());
  expect(await era.find(() => Promise.reject(new Error("asked")))).toBe("legacy");
});
