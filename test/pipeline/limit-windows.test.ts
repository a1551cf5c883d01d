import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LimitWindow } from "../../src/core/limit-window.ts";
import { calendarUnits, timeZoneSchema } from "../../src/core/limit-window.ts";
import { createWindows, rollingMs } from "../../src/pipeline/limit-windows.ts";

const hourMs = 3_600_000;

function span(window: LimitWindow, timeZone: string, at: string) {
  const { startsAtMs, windowMs } = createWindows(window, timeZone)(Date.parse(at));
  return [new Date(startsAtMs).toISOString(), windowMs / hourMs];
}

test.each<[name: string, window: LimitWindow, zone: string, at: string, startsAt: string, hours: number]>([
  ["a minute", "minute", "UTC", "2026-03-29T01:59:59.999Z", "2026-03-29T01:59:00.000Z", 1 / 60],
  ["an hour", "hour", "Asia/Kolkata", "2026-03-29T01:59:59Z", "2026-03-29T01:00:00.000Z", 1],
  ["a day", "day", "UTC", "2026-03-29T23:59:59.999Z", "2026-03-29T00:00:00.000Z", 24],
  ["the first moment of a day", "day", "Europe/Vienna", "2026-06-01T22:00:00Z", "2026-06-01T22:00:00.000Z", 24],
  ["the last moment of a day", "day", "Europe/Vienna", "2026-06-01T21:59:59.999Z", "2026-05-31T22:00:00.000Z", 24],
  ["the day when clocks go forward", "day", "Europe/Vienna", "2026-03-29T12:00Z", "2026-03-28T23:00:00.000Z", 23],
  ["the day when clocks go back", "day", "America/New_York", "2026-11-01T12:00Z", "2026-11-01T04:00:00.000Z", 25],
  ["a day whose midnight is left out", "day", "Africa/Cairo", "2026-04-24T12:00Z", "2026-04-23T22:00:00.000Z", 23],
  ["a day of half an hour's offset", "day", "Asia/Kolkata", "2026-06-01T18:30Z", "2026-06-01T18:30:00.000Z", 24],
  ["a week over the end of a year", "week", "UTC", "2027-01-01T00:00Z", "2026-12-28T00:00:00.000Z", 168],
  ["a Monday's week", "week", "UTC", "2026-11-23T00:00Z", "2026-11-23T00:00:00.000Z", 168],
  ["a leap February", "month", "UTC", "2028-02-29T23:59Z", "2028-02-01T00:00:00.000Z", 29 * 24],
  ["a December", "month", "UTC", "2026-12-31T23:59:59.999Z", "2026-12-01T00:00:00.000Z", 31 * 24],
  ["the month of a change", "month", "Europe/Vienna", "2026-03-15T00:00Z", "2026-02-28T23:00:00.000Z", 31 * 24 - 1],
  ["a time before 1970", "day", "UTC", "1969-12-31T12:00Z", "1969-12-31T00:00:00.000Z", 24],
  [
    "so many milliseconds",
    { milliseconds: 5_000 },
    "UTC",
    "2026-01-01T00:00:07Z",
    "2026-01-01T00:00:05.000Z",
    5 / 3600,
  ],
])("%s begins and ends where its calendar says", (_name, window, zone, at, startsAt, hours) => {
  expect(span(window, zone, at)).toEqual([startsAt, hours]);
});

describe("windows", () => {
  const zone = fc.constantFrom(
    "UTC",
    "Europe/Vienna",
    "America/New_York",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Africa/Cairo",
  );
  const anyWindow = fc.oneof(
    fc.constantFrom(...calendarUnits),
    fc.integer({ min: 100, max: 10_000_000 }).map((milliseconds) => ({ milliseconds })),
  );
  const moment = fc.integer({ min: Date.UTC(2012, 0, 1), max: Date.UTC(2040, 0, 1) });

  test("hold the moment, leave no gap and do not overlap, in whatever order moments are asked about", () => {
    fc.assert(
      fc.property(anyWindow, zone, fc.array(moment, { minLength: 1, maxLength: 5 }), (window, timeZone, moments) => {
        const at = createWindows(window, timeZone);
        for (const ms of moments) {
          const { startsAtMs, windowMs } = at(ms);
          expect(startsAtMs).toBeLessThanOrEqual(ms);
          expect(startsAtMs + windowMs).toBeGreaterThan(ms);
          expect(at(startsAtMs)).toEqual({ startsAtMs, windowMs });
          expect(at(startsAtMs + windowMs - 1)).toEqual({ startsAtMs, windowMs });
          expect(at(startsAtMs + windowMs).startsAtMs).toBe(startsAtMs + windowMs);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("that roll are as long as they say", () => {
    expect([...calendarUnits.map(rollingMs), rollingMs({ milliseconds: 7 })]).toEqual([
      60_000, 3_600_000, 86_400_000, 604_800_000, 2_592_000_000, 7,
    ]);
  });
});

test("a time zone that nobody knows is refused, and the default is UTC", () => {
  expect(timeZoneSchema.parse(undefined)).toBe("UTC");
  for (const known of ["Europe/Vienna", "UTC", "America/Argentina/Ushuaia"])
    expect(timeZoneSchema.parse(known)).toBe(known);
  for (const unknown of ["Mars/Olympus", "", "Europe/Vienna; drop"])
    expect(timeZoneSchema.safeParse(unknown).success).toBe(false);
});
