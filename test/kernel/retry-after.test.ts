import { expect, test } from "vitest";
import { retryAfterMs } from "../../src/kernel/retry-after.ts";

const nowMs = Date.UTC(2026, 0, 1);

const cases = [
  { name: "whole seconds", headers: { "retry-after": "20" }, ms: 20_000 },
  { name: "fractions of a second", headers: { "retry-after": "0.25" }, ms: 250 },
  { name: "no time at all", headers: { "retry-after": "0" }, ms: 0 },
  { name: "an HTTP date", headers: { "retry-after": "Thu, 01 Jan 2026 00:01:00 GMT" }, ms: 60_000 },
  { name: "a date that has passed", headers: { "retry-after": "Wed, 31 Dec 2025 00:00:00 GMT" }, ms: 0 },
  { name: "the older form of dates", headers: { "retry-after": "Thursday, 01-Jan-26 00:00:30 GMT" }, ms: 30_000 },
  { name: "milliseconds, which come first", headers: { "retry-after-ms": "1500", "retry-after": "9" }, ms: 1_500 },
  {
    name: "seconds beside milliseconds that make no sense",
    headers: { "retry-after-ms": "x", "retry-after": "9" },
    ms: 9_000,
  },
  { name: "nothing", headers: {}, ms: undefined },
  { name: "words", headers: { "retry-after": "soon" }, ms: undefined },
  { name: "a negative number", headers: { "retry-after": "-5" }, ms: undefined },
  { name: "a year", headers: { "retry-after": "2026-01-01" }, ms: undefined },
  { name: "two headers", headers: { "retry-after": ["1", "2"] }, ms: undefined },
  { name: "a number beyond reason", headers: { "retry-after": "9".repeat(40) }, ms: undefined },
];

test.each(cases)("reads $name", ({ headers, ms }) => {
  expect(retryAfterMs(headers, nowMs)).toBe(ms);
});
