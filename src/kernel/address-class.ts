import type { CidrSet } from "./cidr-set.ts";
import { createCidrSet } from "./cidr-set.ts";
import { ipBytes } from "./ip.ts";

/**
 * What stands behind an address, from harmless to never reachable. `metadata` is a cloud's instance credentials;
 * `reserved` is everything else that is not one host on the internet: documentation, multicast, tunnels, unassigned.
 */
export type AddressClass = "public" | "private" | "loopback" | "reserved" | "link-local" | "metadata";

/**
 * The class of an address by the IANA special-purpose registries; a text that is not an address is `reserved`.
 * An IPv6 address that carries an IPv4 one (mapped, compatible, NAT64, 6to4, Teredo, ISATAP) is also judged by it, and
 * the worse of the two holds: a tunnel is no way round.
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry
 * @see https://www.iana.org/assignments/iana-ipv6-special-registry
 */
export function addressClass(ip: string): AddressClass {
  const bytes = ipBytes(ip);
  if (bytes === undefined) return "reserved";
  if (bytes.length === 4) return classIn(ipv4Ranges, bytes) ?? "public";
  const own = classIn(ipv6Ranges, bytes) ?? (globalUnicast.containsBytes(bytes) ? "public" : "reserved");
  return embeddedIpv4(bytes)
    .map((embedded) => classIn(ipv4Ranges, embedded) ?? "public")
    .reduce(worse, own);
}

const severity: Readonly<Record<AddressClass, number>> = {
  public: 0,
  private: 1,
  loopback: 2,
  reserved: 3,
  "link-local": 4,
  metadata: 5,
};

function worse(left: AddressClass, right: AddressClass): AddressClass {
  return severity[left] >= severity[right] ? left : right;
}

type Ranges = readonly (readonly [AddressClass, CidrSet])[];

function classIn(ranges: Ranges, bytes: Uint8Array): AddressClass | undefined {
  return ranges.find(([, range]) => range.containsBytes(bytes))?.[0];
}

// The first that holds counts, so single addresses stand before the networks that they lie in.
const ipv4Ranges: Ranges = [
  [
    "metadata",
    createCidrSet([
      "169.254.169.254", // AWS, Azure, Google Cloud, DigitalOcean, OpenStack
      "169.254.170.2", // AWS ECS
      "169.254.170.23", // AWS EKS
      "100.100.100.200", // Alibaba Cloud
      "192.0.0.192", // Oracle Cloud, old
      "168.63.129.16", // Azure's wire server, inside public space
    ]),
  ],
  ["link-local", createCidrSet(["169.254.0.0/16"])],
  ["loopback", createCidrSet(["127.0.0.0/8"])],
  ["private", createCidrSet(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"])],
  [
    "reserved",
    createCidrSet([
      "0.0.0.0/8", // "this network"; many systems connect 0.0.0.0 to loopback
      "192.0.0.0/24", // IETF protocol assignments
      "192.0.2.0/24", // documentation
      "192.31.196.0/24", // AS112
      "192.52.193.0/24", // AMT
      "192.88.99.0/24", // 6to4 relays
      "192.175.48.0/24", // AS112
      "198.18.0.0/15", // benchmarks
      "198.51.100.0/24", // documentation
      "203.0.113.0/24", // documentation
      "224.0.0.0/4", // multicast
      "240.0.0.0/4", // future use and broadcast
    ]),
  ],
];

const globalUnicast = createCidrSet(["2000::/3"]);

const ipv6Ranges: Ranges = [
  ["metadata", createCidrSet(["fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254"])], // AWS, AWS EKS, Google Cloud
  ["loopback", createCidrSet(["::1"])],
  ["link-local", createCidrSet(["fe80::/10"])],
  ["private", createCidrSet(["fc00::/7"])],
  ["public", createCidrSet(["64:ff9b::/96"])], // NAT64: what an IPv6-only host calls the IPv4 internet
  [
    "reserved",
    createCidrSet([
      "2001::/23", // IETF protocol assignments: Teredo, benchmarks, ORCHID, DRIP
      "2001:db8::/32", // documentation
      "2002::/16", // 6to4
      "2620:4f:8000::/48", // AS112
      "3fff::/20", // documentation
    ]),
  ],
];

const prefixes = {
  loopback: createCidrSet(["::1"]),
  compatible: createCidrSet(["::/96"]),
  translated: createCidrSet(["::ffff:0:0:0/96"]),
  nat64: createCidrSet(["64:ff9b::/96"]),
  localNat64: createCidrSet(["64:ff9b:1::/48"]),
  sixToFour: createCidrSet(["2002::/16"]),
  teredo: createCidrSet(["2001::/32"]),
};

/** The IPv4 addresses that an IPv6 address may lead to. */
function embeddedIpv4(bytes: Uint8Array): Uint8Array[] {
  const last = bytes.subarray(12);
  if (prefixes.loopback.containsBytes(bytes)) return []; // ::1 is not the IPv4 address 0.0.0.1
  if (prefixes.compatible.containsBytes(bytes) || prefixes.translated.containsBytes(bytes)) return [last];
  if (prefixes.nat64.containsBytes(bytes)) return [last];
  if (prefixes.sixToFour.containsBytes(bytes)) return [bytes.subarray(2, 6)];
  if (prefixes.teredo.containsBytes(bytes)) return [bytes.subarray(4, 8), last.map((byte) => byte ^ 0xff)];
  if (prefixes.localNat64.containsBytes(bytes)) return localNat64Places.map((place) => pick(bytes, place));
  if (isIsatap(bytes)) return [last];
  return [];
}

// RFC 6052, 2.2: where the four bytes stand behind a prefix of 48, 56, 64 and 96 bits; byte 8 is always skipped.
const localNat64Places = [
  [6, 7, 9, 10],
  [7, 9, 10, 11],
  [9, 10, 11, 12],
  [12, 13, 14, 15],
] as const;

function pick(bytes: Uint8Array, place: readonly number[]): Uint8Array {
  return Uint8Array.from(place, (at) => bytes[at] ?? 0);
}

/** RFC 5214: an interface identifier of 00-00-5E-FE or 02-00-5E-FE and an IPv4 address, behind any prefix. */
function isIsatap(bytes: Uint8Array): boolean {
  return ((bytes[8] ?? 0) & 0xfd) === 0 && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe;
}
