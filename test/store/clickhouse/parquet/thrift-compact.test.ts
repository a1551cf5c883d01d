import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ThriftField, ThriftStruct } from "../../../../src/store/clickhouse/parquet/thrift-compact.ts";
import { readThrift, writeThrift } from "../../../../src/store/clickhouse/parquet/thrift-compact.ts";

type Value = ThriftField["value"];
interface Typed {
  readonly type: number;
  readonly value: Value;
}

const number = (type: number, bits: number): fc.Arbitrary<Typed> =>
  fc.bigInt({ min: -(2n ** BigInt(bits - 1)), max: 2n ** BigInt(bits - 1) - 1n }).map((value) => ({ type, value }));
const bytes = (type: number, length: number | undefined): fc.Arbitrary<Typed> =>
  fc
    .uint8Array(length === undefined ? { maxLength: 300 } : { minLength: length, maxLength: length })
    .map((value) => ({ type, value: Buffer.from(value) }));

/** Of one type each, so that lists and maps can be made of them. */
const simple: readonly fc.Arbitrary<Typed>[] = [
  fc.bigInt({ min: 0n, max: 255n }).map((value) => ({ type: 3, value })),
  number(4, 16),
  number(5, 32),
  number(6, 64),
  bytes(7, 8),
  bytes(8, undefined),
  bytes(13, 16),
  fc.boolean().map((value) => ({ type: 1, value })),
];

const { struct } = fc.letrec<{ struct: ThriftStruct; value: Typed; list: Typed; map: Typed }>((tie) => ({
  list: fc
    .oneof(
      ...simple,
      tie("struct").map((value) => ({ type: 12, value })),
    )
    .chain((sample) =>
      fc
        .array(sample.type === 12 ? tie("struct") : fc.constant(sample.value), { maxLength: 20 })
        .map((items) => ({ type: 9, value: { type: sample.type, items } })),
    ),
  map: fc.array(fc.tuple(bytes(8, undefined), number(6, 64)), { maxLength: 20 }).map((entries) => ({
    type: 11,
    value: {
      types: entries.length === 0 ? ([0, 0] as const) : ([8, 6] as const),
      entries: entries.map(([key, value]) => [key.value, value.value] as const),
    },
  })),
  value: fc.oneof(
    { maxDepth: 3, depthIdentifier: "thrift" },
    ...simple.slice(0, -1),
    fc.boolean().map((value) => ({ type: value ? 1 : 2, value })),
    tie("struct").map((value) => ({ type: 12, value })),
    tie("list"),
    tie("map"),
  ),
  struct: fc
    .array(fc.tuple(fc.integer({ min: 1, max: 40 }), tie("value")), { maxLength: 6, depthIdentifier: "thrift" })
    .map((fields) => {
      let id = 0;
      return fields.map(([step, typed]) => ({ id: (id += step), ...typed }));
    }),
}));

describe("a struct of Thrift's compact protocol", () => {
  test("is what was written, whatever is in it, and its bytes are the same again", () => {
    fc.assert(
      fc.property(struct, (written) => {
        const memory = writeThrift(written);
        const found = readThrift(memory);
        expect(found).toEqual(written);
        expect(writeThrift(found).equals(memory)).toBe(true);
      }),
    );
  });

  test("is read as the protocol's page has it", () => {
    // Field 1, an i32 of 1; field 2, the text "ab"; field 20, true.
    expect(readThrift(Buffer.from([0x15, 2, 0x18, 2, 97, 98, 0x01, 40, 0]))).toEqual([
      { id: 1, type: 5, value: 1n },
      { id: 2, type: 8, value: Buffer.from("ab") },
      { id: 20, type: 1, value: true },
    ]);
  });

  test("is refused when it is cut, goes on, or is too deep", () => {
    const memory = writeThrift([{ id: 1, type: 8, value: Buffer.from("text") }]);
    for (let length = 0; length < memory.length; length += 1)
      expect(() => readThrift(memory.subarray(0, length))).toThrow("too early");
    expect(() => readThrift(Buffer.concat([memory, memory]))).toThrow("behind");
    expect(() => readThrift(Buffer.alloc(1_000, 0x1c))).toThrow("too deep");
    expect(() => readThrift(Buffer.alloc(1_000, 0x19))).toThrow();
  });

  test("of any other bytes is refused or read, and takes no longer than they are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (noise) => {
        try {
          readThrift(Buffer.from(noise));
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
  });
});
