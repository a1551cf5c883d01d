import { beforeEach, describe, expect, test } from "vitest";
import { collectAtRest } from "../../src/cli/collect-at-rest.ts";
import type { ManualClock } from "../kit/manual-clock.ts";
import { manualClock } from "../kit/manual-clock.ts";

const mebibyte = 1024 * 1024;

describe("a process that collects at rest", () => {
  let clock: ManualClock;
  let heapBytes: number;
  let activeMs: number;
  let collected: number;
  let collecting: Disposable;

  beforeEach(() => {
    clock = manualClock();
    heapBytes = 40 * mebibyte;
    activeMs = 0;
    collected = 0;
    collecting = collectAtRest({
      clock,
      processorMs: () => activeMs,
      heapBytes: () => heapBytes,
      collect: () => {
        collected += 1;
        heapBytes = 40 * mebibyte;
      },
    });
  });

  test("gives back what its start has taken", () => {
    clock.advance(60_000);
    expect(collected).toBe(1);
  });

  test("does not take a pause between two bursts for rest", () => {
    for (let burst = 0; burst < 10; burst += 1) {
      activeMs += 4_000;
      clock.advance(50_000);
    }
    expect(collected).toBe(0);
  });

  test("waits while there is work", () => {
    for (let second = 0; second < 300; second += 1) {
      clock.advance(1_000);
      activeMs += 30;
    }
    expect(collected).toBe(0);
    clock.advance(65_000);
    expect(collected).toBe(1);
  });

  test("does nothing as long as too little has come to be worth a pause", () => {
    clock.advance(60_000);
    heapBytes += 15 * mebibyte;
    clock.advance(60_000);
    expect(collected).toBe(1);
    heapBytes += 2 * mebibyte;
    clock.advance(5_000);
    expect(collected).toBe(2);
  });

  test("ends when it is disposed of", () => {
    collecting[Symbol.dispose]();
    clock.advance(120_000);
    expect(collected).toBe(0);
  });
});
