import { expect, test } from "vitest";
import { cacheWish, mayKeep } from "../../../src/policies/semantic-cache/cache-control.ts";

test.each([
  [{}, { noStore: false, maxAgeMs: undefined }],
  [{ "cache-control": "no-store" }, { noStore: true, maxAgeMs: undefined }],
  [{ "cache-control": "No-Cache" }, { noStore: false, maxAgeMs: 0 }],
  [{ "cache-control": "max-age=60" }, { noStore: false, maxAgeMs: 60_000 }],
  [{ "cache-control": 'max-stale, max-age="60"' }, { noStore: false, maxAgeMs: 60_000 }],
  [{ "cache-control": "max-age=60, no-cache" }, { noStore: false, maxAgeMs: 0 }],
  [{ "cache-control": "max-age=-1" }, { noStore: false, maxAgeMs: 0 }],
  [{ "cache-control": "max-age" }, { noStore: false, maxAgeMs: 0 }],
  [{ "cache-control": "x-no-store, no-storehouse" }, { noStore: false, maxAgeMs: undefined }],
  [{ pragma: "no-cache" }, { noStore: false, maxAgeMs: 0 }],
  [
    { pragma: "no-cache", "cache-control": "max-age=9" },
    { noStore: false, maxAgeMs: 9_000 },
  ],
])("%j is read as %j", (headers, wish) => {
  expect(cacheWish(headers)).toEqual(wish);
});

test.each([
  [undefined, true, true],
  ["no-cache", true, true],
  ["no-store", false, false],
  ["private", false, true],
  ["private", true, false],
  ["public, No-Store", false, false],
])("an answer with %s may be kept, shared %s: %s", (control, isShared, expected) => {
  expect(mayKeep(control, isShared)).toBe(expected);
});
