import type { LookupAddress, LookupOptions } from "node:dns";
import { describe, expect, test } from "vitest";
import type { ChosenBy, ResolveHost } from "../../src/kernel/network-policy.ts";
import { createGuardedLookup, createNetworkPolicy, developmentReach } from "../../src/kernel/network-policy.ts";

const production = createNetworkPolicy({ allowCidrs: [], operatorReach: [] });
const development = createNetworkPolicy({ allowCidrs: [], operatorReach: developmentReach });
const listed = createNetworkPolicy({
  allowCidrs: ["10.1.0.0/16", "127.0.0.1", "0.0.0.0/0", "::/0"],
  operatorReach: [],
});
const everybody: readonly ChosenBy[] = ["operator", "tenant", "response"];

describe("which addresses may be reached", () => {
  test("production reaches public addresses only, whoever chose them", () => {
    for (const chosenBy of everybody) {
      expect(production.permits("1.1.1.1", chosenBy)).toBe(true);
      expect(production.permits("2606:4700::1", chosenBy)).toBe(true);
      for (const ip of [
        "127.0.0.1",
        "::1",
        "10.0.0.1",
        "192.0.2.1",
        "0.0.0.0",
        "::ffff:10.0.0.1",
        "64:ff9b::10.0.0.1",
      ]) {
        expect(production.permits(ip, chosenBy)).toBe(false);
      }
    }
  });

  test("development lets the operator, and nobody else, name hosts on this machine and in the private network", () => {
    for (const ip of ["127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "fd12::1"]) {
      expect(development.permits(ip, "operator")).toBe(true);
      expect(development.permits(ip, "tenant")).toBe(false);
      expect(development.permits(ip, "response")).toBe(false);
    }
    expect(development.permits("0.0.0.0", "operator")).toBe(false);
    expect(development.permits("192.0.2.1", "operator")).toBe(false);
  });

  test("a listed address may be reached whoever chose it", () => {
    for (const chosenBy of everybody) expect(listed.permits("10.1.2.3", chosenBy)).toBe(true);
  });

  test.each([
    "169.254.169.254",
    "169.254.0.1",
    "fd00:ec2::254",
    "fe80::1",
    "::ffff:169.254.169.254",
    "2002:a9fe:a9fe::",
    "100.100.100.200",
  ])("%s is refused even when everything is listed", (ip) => {
    expect(listed.permits(ip, "operator")).toBe(false);
    expect(() => listed.check(ip, "operator")).toThrow(expect.objectContaining({ code: "upstream.refused_address" }));
  });

  test("a host that is an address is judged without a lookup, a name is left to the lookup", () => {
    expect(() => production.assertHost("[::1]", "operator")).toThrow(
      expect.objectContaining({ code: "upstream.refused_address" }),
    );
    expect(() => production.assertHost("127.0.0.1", "operator")).toThrow(
      expect.objectContaining({ code: "upstream.refused_address" }),
    );
    expect(() => production.assertHost("1.1.1.1", "response")).not.toThrow();
    expect(() => production.assertHost("localhost", "response")).not.toThrow();
  });

  test("the caller's text does not say which address it was, the operator's detail does", () => {
    expect(() => production.check("10.0.0.1", "tenant")).toThrow(
      expect.objectContaining({
        message: expect.not.stringContaining("10."),
        detail: expect.stringContaining("10.0.0.1 is private"),
      }),
    );
  });

  test("a list that does not parse is refused at the start", () => {
    expect(() => createNetworkPolicy({ allowCidrs: ["10.0.0.0/40"], operatorReach: [] })).toThrow(
      expect.objectContaining({ code: "config.invalid" }),
    );
  });
});

const answers =
  (...addresses: string[]): ResolveHost =>
  async () =>
    addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));

function ask(resolve: ResolveHost, options: LookupOptions): Promise<string | LookupAddress[]> {
  const lookup = createGuardedLookup(production, "operator", resolve);
  return new Promise((done, fail) => {
    lookup("host.example", options, (error, address) => (error === null ? done(address) : fail(error)));
  });
}

describe("a lookup that is guarded", () => {
  test("hands on the permitted addresses of a mixed answer, in their order", async () => {
    const resolve = answers("10.0.0.1", "2606:4700::1", "169.254.169.254", "1.1.1.1");
    expect(await ask(resolve, { all: true })).toEqual([
      { address: "2606:4700::1", family: 6 },
      { address: "1.1.1.1", family: 4 },
    ]);
    expect(await ask(resolve, {})).toBe("2606:4700::1");
  });

  test("fails when no address is permitted, or none was found", async () => {
    for (const resolve of [answers("10.0.0.1", "::1"), answers()]) {
      await expect(ask(resolve, { all: true })).rejects.toMatchObject({ code: "upstream.refused_address" });
      await expect(ask(resolve, {})).rejects.toMatchObject({ code: "upstream.refused_address" });
    }
  });

  test("passes the resolver's own failure on", async () => {
    const failure = Object.assign(new Error("no such host"), { code: "ENOTFOUND" });
    await expect(ask(() => Promise.reject(failure), { all: true })).rejects.toBe(failure);
  });

  test("asks for the family that the socket wants", async () => {
    const asked: number[] = [];
    const resolve: ResolveHost = async (_host, family) => {
      asked.push(family);
      return [{ address: "1.1.1.1", family: 4 }];
    };
    for (const family of [undefined, 0, 4, 6, "IPv4", "IPv6"] as const) {
      await ask(resolve, family === undefined ? {} : { family });
    }
    expect(asked).toEqual([0, 0, 4, 6, 4, 6]);
  });
});
