import { describe, expect, test } from "vitest";
import { createAllowedHosts } from "../../src/kernel/allowed-hosts.ts";
import { GatewayError } from "../../src/kernel/errors.ts";

const hosts = createAllowedHosts(
  ["localhost", "[::1]", "gw.example.com:8443", "Console.Example.com"],
  "http://127.0.0.1:9090",
);

function codeOf(call: () => void): string {
  try {
    call();
  } catch (error) {
    return error instanceof GatewayError ? error.code : "another error";
  }
  return "allowed";
}

describe("Host", () => {
  test.each([
    { name: "the control URL's own host", host: "127.0.0.1:9090", code: "allowed" },
    { name: "the own host by another port, as a tunnel has it", host: "127.0.0.1:4711", code: "allowed" },
    { name: "a listed host without a port", host: "localhost", code: "allowed" },
    { name: "a listed host with any port", host: "localhost:4711", code: "allowed" },
    { name: "upper case", host: "LOCALHOST:9090", code: "allowed" },
    { name: "an IPv6 literal", host: "[::1]:9090", code: "allowed" },
    { name: "the same IPv6 address written longer", host: "[0:0:0:0:0:0:0:1]:9090", code: "allowed" },
    { name: "a host listed with its port", host: "gw.example.com:8443", code: "allowed" },
    { name: "a host listed with another port", host: "gw.example.com:9999", code: "auth.forbidden_host" },
    { name: "a host of somebody else", host: "evil.com", code: "auth.forbidden_host" },
    { name: "a listed name as a prefix", host: "localhost.evil.com", code: "auth.forbidden_host" },
    { name: "a listed name as a suffix", host: "evil-localhost", code: "auth.forbidden_host" },
    { name: "user information before the host", host: "localhost@evil.com", code: "auth.forbidden_host" },
    { name: "a path behind the host", host: "localhost/evil", code: "auth.forbidden_host" },
    { name: "the word null", host: "null", code: "auth.forbidden_host" },
    { name: "an empty host", host: "", code: "auth.forbidden_host" },
    { name: "a port out of range", host: "localhost:99999", code: "auth.forbidden_host" },
    { name: "a loopback address that is not listed", host: "127.0.0.2", code: "auth.forbidden_host" },
  ])("$name: $host is $code", ({ host, code }) => {
    expect(codeOf(() => hosts.check([host], undefined))).toBe(code);
  });

  test("every place that names the host must name an allowed one", () => {
    expect(codeOf(() => hosts.check(["localhost", "evil.com"], undefined))).toBe("auth.forbidden_host");
    expect(codeOf(() => hosts.check([], undefined))).toBe("auth.forbidden_host");
  });
});

describe("Origin", () => {
  test.each([
    { name: "the control URL's own", origin: "http://127.0.0.1:9090", code: "allowed" },
    { name: "the request's own host and port", origin: "http://localhost:9090", code: "allowed" },
    { name: "upper case", origin: "HTTP://LOCALHOST:9090", code: "allowed" },
    { name: "a listed host at its scheme's port", origin: "https://console.example.com", code: "allowed" },
    { name: "that port written out", origin: "https://console.example.com:443", code: "allowed" },
    { name: "a listed host and port", origin: "https://gw.example.com:8443", code: "allowed" },
    { name: "another program on the same machine", origin: "http://localhost:3000", code: "auth.forbidden_host" },
    { name: "a listed host on another port", origin: "https://console.example.com:8443", code: "auth.forbidden_host" },
    { name: "a page of somebody else", origin: "http://evil.com", code: "auth.forbidden_host" },
    { name: "a sandboxed page", origin: "null", code: "auth.forbidden_host" },
    { name: "a listed name as a prefix", origin: "http://localhost.evil.com:9090", code: "auth.forbidden_host" },
    { name: "another scheme", origin: "file://localhost:9090", code: "auth.forbidden_host" },
    { name: "no scheme", origin: "localhost:9090", code: "auth.forbidden_host" },
    { name: "user information", origin: "http://localhost:9090@evil.com", code: "auth.forbidden_host" },
    { name: "a path", origin: "http://localhost:9090/x", code: "auth.forbidden_host" },
    { name: "nothing", origin: "", code: "auth.forbidden_host" },
  ])("$name: $origin is $code", ({ origin, code }) => {
    expect(codeOf(() => hosts.check(["localhost:9090"], origin))).toBe(code);
  });
});

test("a list entry that is no host is refused when the list is read", () => {
  expect(codeOf(() => createAllowedHosts(["http://x/"], "http://127.0.0.1:9090"))).toBe("config.invalid");
});
