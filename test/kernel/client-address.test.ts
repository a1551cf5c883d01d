import fc from "fast-check";
import { expect, test } from "vitest";
import { createCidrSet } from "../../src/kernel/cidr-set.ts";
import { clientAddress } from "../../src/kernel/client-address.ts";

const proxies = createCidrSet(["10.0.0.0/8", "::1", "2001:db8:1::/48"]);

test.each([
  { name: "a direct client is the peer of the socket", socket: "192.0.2.1", header: undefined, client: "192.0.2.1" },
  { name: "a direct client cannot name another", socket: "192.0.2.1", header: "203.0.113.9", client: "192.0.2.1" },
  { name: "a trusted proxy names the client", socket: "10.0.0.1", header: "203.0.113.9", client: "203.0.113.9" },
  {
    name: "what the client wrote left of itself is not read",
    socket: "10.0.0.1",
    header: "10.9.9.9, 127.0.0.1, 203.0.113.9",
    client: "203.0.113.9",
  },
  {
    name: "trusted hops are walked over from the right",
    socket: "::1",
    header: "198.51.100.1, 203.0.113.9, 10.0.0.7,10.0.0.8",
    client: "203.0.113.9",
  },
  { name: "the last hop stands when all are trusted", socket: "::1", header: "10.0.0.7, 10.0.0.8", client: "10.0.0.7" },
  { name: "a proxy that says nothing is the client", socket: "10.0.0.1", header: undefined, client: "10.0.0.1" },
  {
    name: "an entry that is no address ends the walk",
    socket: "10.0.0.1",
    header: "203.0.113.9, unknown",
    client: "10.0.0.1",
  },
  { name: "an empty entry ends the walk", socket: "10.0.0.1", header: "203.0.113.9,,10.0.0.2", client: "10.0.0.2" },
  { name: "a port behind IPv4 is dropped", socket: "10.0.0.1", header: "203.0.113.9:4711", client: "203.0.113.9" },
  {
    name: "brackets and port round IPv6 are dropped",
    socket: "10.0.0.1",
    header: "[2001:DB8::9]:47",
    client: "2001:db8::9",
  },
  {
    name: "a plain IPv6 entry is read whole",
    socket: "10.0.0.1",
    header: "2001:db8::9:4711",
    client: "2001:db8::9:4711",
  },
  {
    name: "mapped addresses are IPv4 on both sides",
    socket: "::ffff:10.0.0.1",
    header: "::ffff:192.0.2.4",
    client: "192.0.2.4",
  },
])("$name", ({ socket, header, client }) => {
  expect(clientAddress(socket, header === undefined ? {} : { "x-forwarded-for": header }, proxies)).toBe(client);
});

test("header lines that came one by one are one list", () => {
  const headers = { "x-forwarded-for": ["203.0.113.9", "10.0.0.2"] as unknown as string }; // as some HTTP/2 stacks give it
  expect(clientAddress("10.0.0.1", headers, proxies)).toBe("203.0.113.9");
});

test("the Forwarded header changes nothing", () => {
  const headers = { forwarded: "for=203.0.113.9", "x-forwarded-for": "192.0.2.4" };
  expect(clientAddress("10.0.0.1", headers, proxies)).toBe("192.0.2.4");
});

test("a socket that is gone has no address and is trusted by nobody", () => {
  expect(clientAddress(undefined, { "x-forwarded-for": "203.0.113.9" }, proxies)).toBe("");
});

test("whatever a client sends, the proxy in front of us decides", () => {
  fc.assert(
    fc.property(fc.string(), fc.ipV4(), (spoofed, real) => {
      fc.pre(!proxies.contains(real));
      const header = spoofed === "" ? real : `${spoofed}, ${real}`;
      expect(clientAddress("10.0.0.1", { "x-forwarded-for": header }, proxies)).toBe(real);
    }),
  );
});
