import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { putBytes, putJson, putMembers, putMilliseconds, putNumber, putText } from "../../src/analytics/line-values.ts";

/** What was put, without the comma in front. */
function put<Value>(putValue: (memory: Buffer, at: number, value: Value) => number, value: Value): string {
  const memory = Buffer.alloc(4_096);
  const [comma, ...rest] = memory.toString("latin1", 3, putValue(memory, 3, value));
  expect(comma).toBe(",");
  return rest.join("");
}

const numbers = fc.oneof(
  fc.constantFrom(0, -0, 9, 10, 99, 100, 1e6, 999_999_999, 1e9, 1e9 + 1, 2 ** 31, 1e15 - 1, 1e15, 1e21, 1e-7, -1),
  fc.nat(),
  fc.maxSafeNat(),
  fc.nat(999_999_999).map((micros) => micros / 1_000),
  fc.double(),
);

describe("a number", () => {
  test("is written as JSON has it", () => {
    fc.assert(
      fc.property(numbers, (value) => {
        expect(put(putNumber, value)).toBe(JSON.stringify(value));
        expect(put(putMilliseconds, value)).toBe(JSON.stringify(value));
      }),
      { numRuns: 2_000 },
    );
  });

  test("of any power of ten and its neighbours too", () => {
    for (let power = 1; power <= 1e17; power *= 10) {
      for (const value of [power - 1, power, power + 1]) expect(put(putNumber, value)).toBe(JSON.stringify(value));
    }
  });

  test("of thousandths has no zeros at the end", () => {
    for (let micros = 0; micros < 2_000; micros += 1) {
      expect(put(putMilliseconds, micros / 1_000)).toBe(JSON.stringify(micros / 1_000));
    }
  });

  test("that JSON cannot say is refused", () => {
    const memory = Buffer.alloc(99);
    const value = 1n as unknown as number; // what a fault of ours might put there
    expect(() => putNumber(memory, 0, value)).toThrow(TypeError);
    expect(() => putMilliseconds(memory, 0, value)).toThrow(TypeError);
  });
});

test("a text is written as JSON has it, in ASCII", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.string()), (value) => {
      const written = put(putText, value);
      expect(written).toMatch(/^[ -~]*$/);
      expect(JSON.parse(written)).toBe(value);
    }),
  );
  for (let code = 0; code < 0x180; code += 1) {
    const value = `a${String.fromCharCode(code)}z`;
    const written = put(putText, value);
    expect(JSON.parse(written)).toBe(value);
    expect(written === `"${value}"`).toBe(code >= 0x20 && code < 0x7f && JSON.stringify(value).length === 5);
  }
});

test("an object is written as JSON has it, without members that are undefined", () => {
  const values = fc.oneof(fc.string(), numbers, fc.boolean(), fc.constantFrom(null, undefined), fc.array(fc.string()));
  fc.assert(
    fc.property(fc.dictionary(fc.string(), values, { maxKeys: 5 }), (found) => {
      const members = { ...found };
      expect(put(putMembers, members)).toBe(JSON.stringify(members).replaceAll("\x7f", "\\u007f"));
    }),
  );
  expect(put(putMembers, undefined)).toBe("{}");
});

test("what is missing is null", () => {
  for (const value of [null, undefined]) {
    expect([put(putText, value), put(putNumber, value), put(putMilliseconds, value), put(putJson, value)]).toEqual(
      Array.from({ length: 4 }, () => "null"),
    );
  }
});

test("bytes are put whole or not at all", () => {
  const memory = Buffer.from("......");
  expect(putBytes(memory, 3, Buffer.from("abcd"))).toBe(7);
  expect(memory.toString()).toBe("......");
  expect(putBytes(memory, 2, Buffer.from("abcd"))).toBe(6);
  expect(memory.toString()).toBe("..abcd");
});
