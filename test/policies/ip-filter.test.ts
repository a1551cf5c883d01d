import { expect, test } from "vitest";
import { ipFilter } from "../../src/policies/ip-filter.ts";
import { buildExchange, buildOperation, buildTools } from "../kit/exchange.ts";

const cases = [
  { name: "lets in whom a network allows", config: { allow: ["10.0.0.0/8"] }, ip: "10.1.2.3", allowed: true },
  { name: "keeps out whom no network allows", config: { allow: ["10.0.0.0/8"] }, ip: "11.0.0.1", allowed: false },
  { name: "keeps out whom it denies", config: { deny: ["10.0.0.0/8"] }, ip: "10.1.2.3", allowed: false },
  { name: "lets in whom it does not deny", config: { deny: ["10.0.0.0/8"] }, ip: "192.0.2.1", allowed: true },
  {
    name: "denies before it allows",
    config: { allow: ["10.0.0.0/8"], deny: ["10.6.6.6"] },
    ip: "10.6.6.6",
    allowed: false,
  },
  { name: "knows IPv6 networks", config: { allow: ["2001:db8::/32"] }, ip: "2001:db8:1::1", allowed: true },
  {
    name: "takes an IPv4-mapped address for what it is",
    config: { deny: ["10.0.0.0/8"] },
    ip: "::ffff:10.0.0.1",
    allowed: false,
  },
  {
    name: "keeps out an unknown address where it allows some",
    config: { allow: ["0.0.0.0/0", "::/0"] },
    ip: "",
    allowed: false,
  },
];

test.each(cases)("$name", async ({ config, ip, allowed }) => {
  const handlers = ipFilter.compile(ipFilter.config.parse(config), buildTools(), { place: "here" });
  const result = await handlers.admit?.(buildExchange({ inbound: { clientIp: ip } }), buildOperation());
  expect(result === undefined).toBe(allowed);
  expect(result ?? { code: "auth.forbidden" }).toMatchObject({ code: "auth.forbidden" });
});

test.each([{}, { allow: [] }, { deny: ["10.0.0.0/33"] }, { allow: ["localhost"] }])(
  "refuses the configuration %j",
  (config) => {
    expect(ipFilter.config.safeParse(config).success).toBe(false);
  },
);
