import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addressClass } from "../../src/kernel/address-class.ts";

describe("first, last and neighbouring addresses of each special range", () => {
  test.each([
    ["0.0.0.0", "reserved"],
    ["0.255.255.255", "reserved"],
    ["1.0.0.0", "public"],
    ["9.255.255.255", "public"],
    ["10.0.0.0", "private"],
    ["10.255.255.255", "private"],
    ["11.0.0.0", "public"],
    ["100.63.255.255", "public"],
    ["100.64.0.0", "private"],
    ["100.127.255.255", "private"],
    ["100.100.100.200", "metadata"],
    ["100.128.0.0", "public"],
    ["126.255.255.255", "public"],
    ["127.0.0.1", "loopback"],
    ["127.255.255.255", "loopback"],
    ["128.0.0.0", "public"],
    ["168.63.129.16", "metadata"],
    ["169.253.255.255", "public"],
    ["169.254.0.0", "link-local"],
    ["169.254.169.254", "metadata"],
    ["169.254.170.2", "metadata"],
    ["169.254.255.255", "link-local"],
    ["169.255.0.0", "public"],
    ["172.15.255.255", "public"],
    ["172.16.0.0", "private"],
    ["172.31.255.255", "private"],
    ["172.32.0.0", "public"],
    ["192.0.0.0", "reserved"],
    ["192.0.0.192", "metadata"],
    ["192.0.0.255", "reserved"],
    ["192.0.1.0", "public"],
    ["192.0.2.0", "reserved"],
    ["192.0.3.0", "public"],
    ["192.31.196.1", "reserved"],
    ["192.52.193.1", "reserved"],
    ["192.88.99.1", "reserved"],
    ["192.167.255.255", "public"],
    ["192.168.0.0", "private"],
    ["192.168.255.255", "private"],
    ["192.169.0.0", "public"],
    ["192.175.48.1", "reserved"],
    ["198.17.255.255", "public"],
    ["198.18.0.0", "reserved"],
    ["198.19.255.255", "reserved"],
    ["198.20.0.0", "public"],
    ["198.51.100.0", "reserved"],
    ["203.0.113.255", "reserved"],
    ["223.255.255.255", "public"],
    ["224.0.0.0", "reserved"],
    ["240.0.0.0", "reserved"],
    ["255.255.255.255", "reserved"],
  ])("IPv4 %s is %s", (ip, expected) => {
    expect(addressClass(ip)).toBe(expected);
  });

  test.each([
    ["::", "reserved"],
    ["::1", "loopback"],
    ["::2", "reserved"],
    ["100::1", "reserved"],
    ["100:0:0:1::1", "reserved"],
    ["1fff:ffff::", "reserved"],
    ["2000::", "public"],
    ["2001::", "reserved"],
    ["2001:2::1", "reserved"],
    ["2001:1ff:ffff::1", "reserved"],
    ["2001:200::", "public"],
    ["2001:4860:4860::8888", "public"],
    ["2001:db7:ffff::", "public"],
    ["2001:db8::1", "reserved"],
    ["2001:db9::", "public"],
    ["2606:4700:4700::1111", "public"],
    ["2620:4f:8000::1", "reserved"],
    ["3ffe:ffff::1", "public"],
    ["3fff::1", "reserved"],
    ["3fff:fff:ffff::1", "reserved"],
    ["3fff:1000::", "public"],
    ["4000::", "reserved"],
    ["5f00::1", "reserved"],
    ["fbff::1", "reserved"],
    ["fc00::1", "private"],
    ["fd00:ec2::254", "metadata"],
    ["fd00:ec2::23", "metadata"],
    ["fd20:ce::254", "metadata"],
    ["fdff:ffff::1", "private"],
    ["fe00::1", "reserved"],
    ["fe80::1", "link-local"],
    ["fe80::1%eth0", "link-local"],
    ["febf:ffff::1", "link-local"],
    ["fec0::1", "reserved"],
    ["ff02::1", "reserved"],
  ])("IPv6 %s is %s", (ip, expected) => {
    expect(addressClass(ip)).toBe(expected);
  });
});

describe("addresses that carry an IPv4 address", () => {
  test.each([
    ["mapped", "::ffff:169.254.169.254", "metadata"],
    ["mapped public", "::ffff:1.1.1.1", "public"],
    ["compatible", "::127.0.0.1", "reserved"],
    ["compatible metadata", "::169.254.169.254", "metadata"],
    ["translated", "::ffff:0:169.254.1.1", "link-local"],
    ["translated public", "::ffff:0:1.1.1.1", "reserved"],
    ["NAT64 public", "64:ff9b::1.1.1.1", "public"],
    ["NAT64 private", "64:ff9b::10.0.0.1", "private"],
    ["NAT64 loopback", "64:ff9b::127.0.0.1", "loopback"],
    ["NAT64 metadata", "64:ff9b::a9fe:a9fe", "metadata"],
    ["local NAT64", "64:ff9b:1::1.1.1.1", "reserved"],
    ["local NAT64, 96 bits", "64:ff9b:1::169.254.169.254", "metadata"],
    ["local NAT64, 48 bits", "64:ff9b:1:a9fe:a9:fe00::", "metadata"],
    ["local NAT64, 56 bits", "64:ff9b:1:a9:fe:a9fe::", "metadata"],
    ["local NAT64, 64 bits", "64:ff9b:1:0:a9:fea9:fe00:0", "metadata"],
    ["6to4 public", "2002:101:101::1", "reserved"],
    ["6to4 private", "2002:a00:1::1", "reserved"],
    ["6to4 link-local", "2002:a9fe:101::1", "link-local"],
    ["Teredo client", "2001:0:101:101:0:0:5601:5601", "metadata"],
    ["Teredo server", "2001:0:a9fe:a9fe::1", "metadata"],
    ["ISATAP", "2606:4700::200:5efe:a9fe:a9fe", "metadata"],
    ["ISATAP public", "2606:4700::5efe:101:101", "public"],
  ])("%s %s is %s", (_name, ip, expected) => {
    expect(addressClass(ip)).toBe(expected);
  });
});

const ipv4 = fc.oneof(
  fc.ipV4(),
  fc.constantFrom("127.0.0.1", "169.254.169.254", "169.254.3.4", "10.1.2.3", "0.0.0.0", "224.1.1.1", "100.64.0.1"),
);
const rank = ["public", "private", "loopback", "reserved", "link-local", "metadata"];

test("a mapped address has the class of the address that it maps", () => {
  fc.assert(
    fc.property(ipv4, (ip) => {
      expect(addressClass(`::ffff:${ip}`)).toBe(addressClass(ip));
    }),
  );
});

test("no tunnel makes an address look more harmless than it is", () => {
  const tunnels = ["::", "::ffff:0:", "64:ff9b::", "64:ff9b:1::", "2606:4700::5efe:"];
  fc.assert(
    fc.property(ipv4, fc.constantFrom(...tunnels), (ip, tunnel) => {
      expect(rank.indexOf(addressClass(tunnel + ip))).toBeGreaterThanOrEqual(rank.indexOf(addressClass(ip)));
    }),
  );
});

test("what is no address is reserved", () => {
  expect(addressClass("localhost")).toBe("reserved");
  expect(addressClass("")).toBe("reserved");
});
