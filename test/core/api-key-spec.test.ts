import { describe, expect, test } from "vitest";
import { apiKeySchema } from "../../src/core/api-key-spec.ts";

const spec = { api: { kind: "LlmApi", name: "chat" }, environment: "production" };

function accepts(more: object): boolean {
  return apiKeySchema.safeParse({ ...spec, ...more }).success;
}

describe("permitted addresses", () => {
  test.each([
    ["192.0.2.7", true],
    ["10.0.0.0/8", true],
    ["0.0.0.0/0", true],
    ["2001:db8::1", true],
    ["2001:db8::/32", true],
    ["10.0.0.0/33", false],
    ["10.0.0.0/08", false],
    ["10.0.0.0/8/8", false],
    ["010.0.0.1", false],
    ["2001:db8::/129", false],
    ["fe80::1%eth0", false],
    ["example.com", false],
    ["192.0.2.7:80", false],
    ["", false],
  ])("%j: %s", (entry, expected) => {
    expect(accepts({ permittedIps: [entry] })).toBe(expected);
  });
});

describe("permitted referrers", () => {
  test.each([
    ["www.abc.com/path", true],
    ["sub.cds.com/*", true],
    ["*.gef.com/*", true],
    ["localhost:3000/*", true],
    ["www.abc.com", true],
    ["www.abc.com/a/b-c_d~e%20f/*", true],
    ["https://www.abc.com/path", false],
    ["*", false],
    ["*/*", false],
    ["www.*.com/*", false],
    ["*abc.com/*", false],
    ["www.abc.com/pa*th", false],
    ["www.abc.com/path*", false],
    ["www.abc.com/path?query", false],
    ["user@www.abc.com/path", false],
    ["www..com/", false],
    ["", false],
  ])("%j: %s", (entry, expected) => {
    expect(accepts({ permittedReferrers: [entry] })).toBe(expected);
  });

  test("a hostile entry is refused in no time", () => {
    const startMs = performance.now();
    expect(accepts({ permittedReferrers: [`${"a-".repeat(250)}!`] })).toBe(false);
    expect(accepts({ permittedReferrers: [`a${"/a".repeat(250)}!?`] })).toBe(false);
    expect(performance.now() - startMs).toBeLessThan(200);
  });
});

describe("validity", () => {
  test.each([
    [{ validitySeconds: -1 }, true],
    [{ validitySeconds: 3_600 }, true],
    [{ validitySeconds: 0 }, false],
    [{ validitySeconds: -2 }, false],
    [{ validitySeconds: 1.5 }, false],
    [{ validitySeconds: 1e12 }, false],
    [{ expiresAt: "2030-01-01T00:00:00Z" }, true],
    [{ expiresAt: "2030-01-01T00:00:00+02:00" }, true],
    [{ expiresAt: "tomorrow" }, false],
    [{ validitySeconds: 60, expiresAt: "2030-01-01T00:00:00Z" }, false],
  ])("%j: %s", (more, expected) => {
    expect(accepts(more)).toBe(expected);
  });
});

test("an unknown field, an unknown environment and an unknown kind of API are refused", () => {
  expect(accepts({ permittedIp: ["192.0.2.7"] })).toBe(false);
  expect(accepts({ environment: "PRODUCTION" })).toBe(false);
  expect(accepts({ api: { kind: "Team", name: "default" } })).toBe(false);
});
