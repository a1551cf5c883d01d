import fc from "fast-check";
import { expect, test } from "vitest";
import type { IdKind } from "../../src/kernel/ids.ts";
import { idPrefixes, newId, uuidV7 } from "../../src/kernel/ids.ts";

const kinds = Object.keys(idPrefixes) as IdKind[]; // the keys of a table are its kinds

test.each(kinds)("an id of kind %s says so and carries 96 random bits", (kind) => {
  expect(newId(kind)).toMatch(new RegExp(`^${idPrefixes[kind]}_[0-9a-f]{24}$`));
});

test("no two kinds share a prefix", () => {
  expect(new Set(Object.values(idPrefixes)).size).toBe(kinds.length);
});

test("ids do not repeat, also where one filling of random bytes ends", () => {
  const ids = Array.from({ length: 5_000 }, () => newId("apiKey"));
  expect(new Set(ids).size).toBe(ids.length);
  const uuids = Array.from({ length: 5_000 }, () => uuidV7(0));
  expect(new Set(uuids).size).toBe(uuids.length);
});

test("a UUIDv7 has the layout of RFC 9562: time, version 7, variant 10", () => {
  expect(uuidV7(0x017f22e279b0)).toMatch(/^017f22e2-79b0-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 48 - 1 }), (nowMs) => {
      const uuid = uuidV7(nowMs);
      expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16)).toBe(nowMs);
    }),
  );
});

test("a later UUIDv7 sorts behind an earlier one", () => {
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 48 - 2 }), fc.nat({ max: 1_000_000 }), (nowMs, later) => {
      fc.pre(nowMs + 1 + later < 2 ** 48);
      expect(uuidV7(nowMs) < uuidV7(nowMs + 1 + later)).toBe(true);
    }),
  );
});

test("every random bit of a UUIDv7 takes both values", () => {
  const seen = Array.from({ length: 128 }, () => new Set<string>());
  for (let count = 0; count < 200; count += 1) {
    const bits = BigInt(`0x${uuidV7(0).replaceAll("-", "")}`)
      .toString(2)
      .padStart(128, "0");
    for (const [index, bit] of bits.split("").entries()) seen[index]?.add(bit);
  }
  const fixed = seen.flatMap(({ size }, index) => (size === 1 ? [index] : []));
  // 48 bits of time, 4 of version, 2 of variant
  expect(fixed).toEqual([...Array.from({ length: 52 }, (_, index) => index), 64, 65]);
});
