import { expect, test } from "vitest";
import { addressBlock } from "../../src/kernel/address-block.ts";

const cases = [
  { name: "an IPv4 address stands for itself", ip: "192.0.2.1", block: "192.0.2.1" },
  { name: "an IPv4-mapped address is the IPv4 that it is", ip: "::ffff:192.0.2.1", block: "::ffff:192.0.2.1" },
  { name: "an IPv6 address stands for its /64", ip: "2001:db8:1:2:3:4:5:6", block: "2001:db8:1:2::/64" },
  { name: "and so does its neighbour", ip: "2001:db8:1:2::", block: "2001:db8:1:2::/64" },
  { name: "what is no address stands for itself", ip: "", block: "" },
];

test.each(cases)("$name", ({ ip, block }) => {
  expect(addressBlock(ip)).toBe(block);
});
