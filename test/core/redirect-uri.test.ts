import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileRedirectUris, redirectPatternIssue, redirectUriIssue } from "../../src/core/redirect-uri.ts";

describe("a redirect URI that may be registered", () => {
  test.each([
    { uri: "https://app.example.com/callback", type: "web" },
    { uri: "https://app.example.com:8443/callback?tenant=1", type: "web" },
    { uri: "https://app.example.com", type: "web" },
    { uri: "http://localhost:3000/cb", type: "web" },
    { uri: "http://127.0.0.1/cb", type: "native" },
    { uri: "http://[::1]:49152/cb", type: "native" },
    { uri: "com.example.app:/oauth", type: "native" },
    { uri: "com.example.app://oauth/cb", type: "native" },
    { uri: "cursor://anysphere.cursor-retrieval/oauth/cb", type: "native" },
  ] as const)("$uri for a $type client", ({ uri, type }) => {
    expect(redirectUriIssue(uri, type)).toBeUndefined();
  });
});

describe("a redirect URI that is refused", () => {
  test.each([
    { name: "with a fragment", uri: "https://a.example/cb#x", issue: /fragment/ },
    { name: "with an empty fragment", uri: "https://a.example/cb#", issue: /fragment/ },
    { name: "with a wildcard in the host", uri: "https://*.example.com/cb", issue: /wildcards/ },
    { name: "with a wildcard in the path", uri: "https://a.example/*", issue: /wildcards/ },
    { name: "javascript", uri: "javascript:alert(1)", issue: /domain in reverse/ },
    { name: "javascript in another case", uri: "JaVaScRiPt://a.example/%0aalert(1)", issue: /domain in reverse/ },
    { name: "data", uri: "data:text/html,x", issue: /domain in reverse/ },
    { name: "file", uri: "file:///etc/passwd", issue: /domain in reverse/ },
    { name: "a native scheme without a domain", uri: "myapp://cb", issue: /domain in reverse/ },
    { name: "http elsewhere", uri: "http://a.example/cb", issue: /loopback/ },
    { name: "http at a host that looks like loopback", uri: "http://localhost.evil.example/cb", issue: /loopback/ },
    { name: "http at loopback's neighbour", uri: "http://127.0.0.2/cb", issue: /loopback/ },
    { name: "loopback as a user", uri: "http://localhost:80@evil.example/", issue: /user/ },
    { name: "a user", uri: "https://good.example@evil.example/", issue: /user/ },
    { name: "one slash", uri: "https:/a.example/cb", issue: /write it as/ },
    { name: "no slash", uri: "https:a.example", issue: /write it as/ },
    { name: "three slashes", uri: "https:///a.example", issue: /write it as/ },
    { name: "upper case in the host", uri: "https://A.example/cb", issue: /write it as/ },
    { name: "a backslash", uri: "https://a.example\\@evil.example/", issue: /characters/ },
    { name: "a space", uri: "https://a.example/c b", issue: /characters/ },
    { name: "a line break", uri: "https://a.example/\r\nx: y", issue: /characters/ },
    { name: "a look-alike letter", uri: "https://exаmple.com/cb", issue: /characters/ },
    { name: "no scheme", uri: "/callback", issue: /whole URI/ },
    { name: "nothing", uri: "", issue: /characters/ },
    { name: "too long", uri: `https://a.example/${"x".repeat(2_000)}`, issue: /2,000/ },
  ])("$name", ({ uri, issue }) => {
    expect(redirectUriIssue(uri, "native")).toMatch(issue);
  });

  test("a scheme of its own for a web client", () => {
    expect(redirectUriIssue("com.example.app:/cb", "web")).toMatch(/web client/);
  });
});

describe("matching", () => {
  const web = compileRedirectUris({ redirectUris: ["https://a.example/cb?x=1+2"], applicationType: "web" });

  test.each([
    "https://aXexample/cb?x=1+2",
    "https://a.example/c?x=1+2",
    "https://a.example/cb?x=112",
    "https://a.example/cb?x=1+2&y=3",
    "https://a.example/cb?x=1+2#",
    "https://a.example/cb/",
    "HTTPS://a.example/cb?x=1+2",
    "",
  ])("is by every character: %j is another", (uri) => {
    expect(web("https://a.example/cb?x=1+2")).toBe(true);
    expect(web(uri)).toBe(false);
  });

  test("a native client's loopback is good on any port, and only with its own host and path", () => {
    const native = compileRedirectUris({ redirectUris: ["http://127.0.0.1:1/cb"], applicationType: "native" });
    expect(native("http://127.0.0.1:51234/cb")).toBe(true);
    expect(native("http://127.0.0.1/cb")).toBe(true);
    expect(native("http://127.0.0.1:51234/other")).toBe(false);
    expect(native("http://localhost:51234/cb")).toBe(false);
    expect(native("http://127.0.0.1:51234@evil.example/cb")).toBe(false);
    expect(native("http://127.0.0.1.evil.example/cb")).toBe(false);
    expect(native("https://127.0.0.1:51234/cb")).toBe(false);
  });

  test("a web client's loopback is good on its own port only", () => {
    const local = compileRedirectUris({ redirectUris: ["http://localhost:3000/cb"], applicationType: "web" });
    expect(local("http://localhost:3000/cb")).toBe(true);
    expect(local("http://localhost:3001/cb")).toBe(false);
  });
});

describe("a pattern", () => {
  const matches = (redirectUriPattern: string) =>
    compileRedirectUris({ redirectUris: [], redirectUriPattern, applicationType: "web" });

  test("matches the whole of the host and the whole of what is behind it", () => {
    const preview = matches("https://pr-[0-9]+\\.example\\.com/callback");
    expect(preview("https://pr-17.example.com/callback")).toBe(true);
    expect(preview("https://pr-x.example.com/callback")).toBe(false);
    expect(preview("https://pr-17.example.com/callback/more")).toBe(false);
    expect(preview("https://pr-17.example.com.evil.example/callback")).toBe(false);
    expect(preview("https://pr-17xexample.com/callback")).toBe(false);
  });

  test("of the path reaches no other host, whatever it says", () => {
    const wide = matches("https://a\\.example\\.com/x|.*");
    expect(wide("https://a.example.com/anything")).toBe(true);
    expect(wide("https://evil.example/x")).toBe(false);
    expect(wide("https://a.example.com#@evil.example/")).toBe(false);
    expect(wide("https://a.example.com\\@evil.example/")).toBe(false);
  });

  test.each([
    "https://.*/cb",
    "https://[a-z]+/cb",
    "https://[a-z]+\\.[a-z]+/cb",
    "https://a.example.com/cb",
    "https://[a-z]+example\\.com/cb",
    "https://[^x]+\\.example\\.com/cb",
    "https://(a|b)\\.example\\.com/cb",
    "http://a\\.example\\.com/cb",
    ".*",
    "^https://a\\.example\\.com/cb$",
    "https://a\\.example\\.com/(",
    "https://a\\.example\\.com/a)|(?:b",
    "https://a\\.example\\.com/(?=x)",
  ])("%s is refused", (pattern) => {
    expect(redirectPatternIssue(pattern)).toBeDefined();
  });

  test("whatever the path's expression and the URI are, a match is at the host that was named", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 30 }), fc.webUrl(), (rest, uri) => {
        const pattern = `https://a\\.example\\.com/${rest}`;
        if (redirectPatternIssue(pattern) !== undefined || !matches(pattern)(uri)) return;
        expect(new URL(uri).host).toBe("a.example.com");
      }),
    );
  });
});
