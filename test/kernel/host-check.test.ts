import { expect, test } from "vitest";
import { createHostCheck } from "../../src/kernel/host-check.ts";
import { createNetworkPolicy } from "../../src/kernel/network-policy.ts";

const names: Readonly<Record<string, readonly string[]>> = {
  "public.example": ["93.184.216.34"],
  "inside.example": ["10.0.0.1", "fd00::1"],
  "both.example": ["127.0.0.1", "93.184.216.34"],
  "nothing.example": [],
};
const check = createHostCheck(createNetworkPolicy({ allowCidrs: [], operatorReach: [] }), async (hostname) => {
  const found = names[hostname];
  if (found === undefined) throw new Error("ENOTFOUND");
  return found.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
});

test.each([
  ["a name with a public address", "public.example", true],
  ["a name with private addresses only", "inside.example", false],
  ["a name with a public address among others", "both.example", true],
  ["a name without addresses", "nothing.example", false],
  ["a name that nobody knows", "unknown.example", false],
  ["a public address", "93.184.216.34", true],
  ["a private address", "192.168.0.1", false],
  ["a loopback address in brackets", "[::1]", false],
  ["an address mapped into IPv6", "[::ffff:169.254.169.254]", false],
])("%s: %s is %s", async (_, hostname, expected) => {
  expect(await check(hostname, "response")).toBe(expected);
});
