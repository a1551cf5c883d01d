import fc from "fast-check";
import { expect, test } from "vitest";
import { readUrl } from "../../../src/guardrails/url/read-url.ts";
import { urlMatcher } from "../../../src/guardrails/url/url-pattern.ts";
import { globMatcher } from "../../../src/kernel/glob.ts";

const hostPieces = [
  "a",
  "B",
  "xn--",
  "xn--bcher-kva",
  "ü",
  "ß",
  ".",
  "..",
  "。",
  "-",
  "_",
  "%41",
  "0x7f",
  "1",
  "256",
  "[::1]",
];
const hosts = fc.array(fc.constantFrom(...hostPieces), { minLength: 1, maxLength: 6 }).map((parts) => parts.join(""));

test("a host is what a URL of http would have for one, whatever its scheme and spelling", () => {
  fc.assert(
    fc.property(hosts, fc.constantFrom("http", "https", "ws", "wss", "ftp", "git"), (host, scheme) => {
      const text = `${scheme}://${host}/x?y`;
      const read = URL.parse(text);
      if (read === null) return;
      const again = URL.parse(`http://${read.hostname}/`)?.hostname ?? read.hostname.toLowerCase();
      expect(readUrl(text)?.host).toBe(again.replace(/^\[|\]$/g, "").replace(/\.+$/, ""));
    }),
    { numRuns: 3_000 },
  );
});

test.each([
  {
    url: "https://Ships.Example.COM./a?b",
    parts: { scheme: "https", host: "ships.example.com", port: "", path: "/a?b" },
  },
  { url: "http://0x7f.1:8080", parts: { scheme: "http", host: "127.0.0.1", port: "8080", path: "/" } },
  { url: "ws://[::FFFF:7f00:1]/", parts: { scheme: "ws", host: "::ffff:7f00:1", port: "", path: "/" } },
  { url: "git://B%C3%BCcher.example/", parts: { scheme: "git", host: "xn--bcher-kva.example", port: "", path: "/" } },
])("reads $url as a browser does", ({ url, parts }) => {
  expect(readUrl(url)).toEqual(parts);
});

test("patterns of hosts fit what their signs say", () => {
  const piece = fc.constantFrom("a", "b", ".", "*", "?", "*.");
  const patterns = fc.array(
    fc.array(piece, { minLength: 1, maxLength: 6 }).map((parts) => parts.join("")),
    {
      maxLength: 4,
    },
  );
  const names = fc.string({ unit: fc.constantFrom("a", "b", "."), minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(patterns, names, (wanted, host) => {
      // What is written with a dot at its end means the same without.
      const said = wanted.map((pattern) => pattern.replace(/\.$/, ""));
      expect(urlMatcher(wanted)({ scheme: "https", host, port: "", path: "/" })).toBe(globMatcher(said)(host));
    }),
    { numRuns: 5_000 },
  );
});

test("a name that is written plainly is read as a browser reads it", () => {
  const label = fc.stringMatching(/^[a-z0-9-]{1,12}$/);
  const host = fc.oneof(
    fc.array(label, { minLength: 1, maxLength: 6 }).map((labels) => labels.join(".")),
    fc.constantFrom(
      "127.1",
      "0x7f.1",
      "a.0x1",
      "xn--a",
      "xn--mnchen-3ya.de",
      "a..b",
      "a.",
      "1.2.3.4",
      "a_b.c",
      "a%2eb",
    ),
  );
  const rest = fc.constantFrom("", "/", "/a/../b?x=1#y", "?q", "#f", ":443/", "\\b", "@c.de/", "/ü", "/%", "/\ud800");
  fc.assert(
    fc.property(fc.constantFrom("http", "https"), host, rest, (scheme, name, tail) => {
      const text = `${scheme}://${name}${tail}`;
      const read = readUrl(text);
      const parsed = URL.parse(text);
      expect(read === undefined).toBe(parsed === null);
      if (read === undefined || parsed === null) return;
      const { port, path } = read;
      expect([read.scheme, read.host, port, path]).toEqual([
        scheme,
        parsed.hostname.replace(/\.+$/, ""),
        parsed.port,
        parsed.pathname + parsed.search,
      ]);
    }),
    { numRuns: 2_000 },
  );
});
