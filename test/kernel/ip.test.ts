import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalIp, formatIp, ipBytes } from "../../src/kernel/ip.ts";

describe("the one spelling of an address", () => {
  test.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:C000:0201", "192.0.2.1"],
    ["0:0:0:0:0:ffff:7f00:1", "127.0.0.1"],
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["fe80::1%eth0", "fe80::1"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["1:0:0:0:0:0:0:0", "1::"],
    ["::192.0.2.1", "::c000:201"],
    ["64:ff9b::10.0.0.1", "64:ff9b::a00:1"],
  ])("%s is %s", (text, canonical) => {
    expect(canonicalIp(text)).toBe(canonical);
  });

  test.each([
    "",
    "localhost",
    "127.1",
    "0x7f.0.0.1",
    "010.0.0.1",
    "1.2.3.4:80",
    "[::1]",
    "1.2.3.4/8",
    "1::2::3",
    " ::1",
  ])("%j is no address", (text) => {
    expect(canonicalIp(text)).toBeUndefined();
    expect(ipBytes(text)).toBeUndefined();
  });

  test("agrees with the spelling that a URL gives to any IPv6 address", () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const bytes = ipBytes(text);
        if (bytes?.length === 16) expect(`[${canonicalIp(text)}]`).toBe(new URL(`http://[${text}]/`).hostname);
      }),
    );
  });

  test("bytes and text lead to each other", () => {
    const anyBytes = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc.array(fc.constantFrom(0, 0, 1, 255), { minLength: 16, maxLength: 16 }).map((bytes) => Uint8Array.from(bytes)),
    );
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const again = ipBytes(formatIp(bytes));
        expect(again).toEqual(again?.length === bytes.length ? bytes : bytes.subarray(12));
      }),
    );
  });
});
