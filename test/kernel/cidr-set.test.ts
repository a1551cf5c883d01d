import fc from "fast-check";
import { expect, test } from "vitest";
import { createCidrSet, isCidr } from "../../src/kernel/cidr-set.ts";
import { formatIp } from "../../src/kernel/ip.ts";

test("holds single addresses and networks of both families", () => {
  const set = createCidrSet(["192.0.2.7", "10.0.0.0/8", "2001:db8::/33", "::1"]);
  const inside = ["192.0.2.7", "::ffff:192.0.2.7", "10.0.0.0", "10.255.255.255", "2001:db8:7fff::1", "0:0::1"];
  const outside = ["192.0.2.8", "9.255.255.255", "11.0.0.0", "2001:db8:8000::", "::2", "nonsense", ""];
  expect(inside.filter((ip) => !set.contains(ip))).toEqual([]);
  expect(outside.filter((ip) => set.contains(ip))).toEqual([]);
});

test("a mapped network is the IPv4 network that it maps", () => {
  const set = createCidrSet(["::ffff:10.0.0.0/104"]);
  expect(set.contains("10.1.2.3")).toBe(true);
  expect(set.contains("11.1.2.3")).toBe(false);
});

test("the whole of one family holds nothing of the other", () => {
  expect(createCidrSet(["::/0"]).contains("192.0.2.1")).toBe(false);
  expect(createCidrSet(["0.0.0.0/0"]).contains("2001:db8::1")).toBe(false);
  expect(createCidrSet(["0.0.0.0/0"]).contains("255.255.255.255")).toBe(true);
});

test("an empty set holds nothing and says so", () => {
  expect(createCidrSet([]).contains("127.0.0.1")).toBe(false);
  expect(createCidrSet([]).isEmpty).toBe(true);
});

test.each([
  "",
  "10.0.0.0/33",
  "10.0.0.0/-1",
  "10.0.0.0/08",
  "10.0.0.0/",
  "10.0.0/8",
  "::/129",
  "::ffff:1.2.3.4/95",
  "a/8",
  "10.0.0.0/8/8",
  "fe80::1%lo/64",
])("refuses %j by name", (entry) => {
  expect(isCidr(entry)).toBe(false);
  expect(() => createCidrSet(["10.0.0.0/8", entry])).toThrow(
    expect.objectContaining({ code: "config.invalid", message: expect.stringContaining(JSON.stringify(entry)) }),
  );
});

test("a network holds exactly the addresses that share its first bits", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  );
  const cases = bytes.chain((network) =>
    fc.tuple(fc.constant(network), fc.nat({ max: network.length * 8 }), fc.nat({ max: network.length * 8 - 1 })),
  );
  fc.assert(
    fc.property(cases, ([network, prefix, flippedBit]) => {
      fc.pre(network.length === 4 || network[0] !== 0); // not mapped
      const other = Uint8Array.from(network);
      other[flippedBit >> 3] = (other[flippedBit >> 3] ?? 0) ^ (0x80 >> (flippedBit & 7));
      const set = createCidrSet([`${formatIp(network)}/${prefix}`]);
      expect(set.contains(formatIp(network))).toBe(true);
      expect(set.contains(formatIp(other))).toBe(flippedBit >= prefix);
    }),
  );
});
