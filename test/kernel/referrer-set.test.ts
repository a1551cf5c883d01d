import { describe, expect, test } from "vitest";
import { createReferrerSet } from "../../src/kernel/referrer-set.ts";

const cases = [
  {
    rule: "www.abc.com/path",
    permits: ["https://www.abc.com/path", "http://WWW.ABC.com/path", "https://www.abc.com/path?from=1#top"],
    refuses: [
      "https://www.abc.com/path/",
      "https://www.abc.com/path/more",
      "https://www.abc.com/pathology",
      "https://www.abc.com/",
      "https://abc.com/path",
      "https://www.abc.com:8443/path",
      "https://www.abc.com.evil.example/path",
      "https://evil.example/www.abc.com/path",
      "https://evil.example/?x=www.abc.com/path",
      "https://www.abc.com@evil.example/path",
      "https://www.abc.com/PATH",
    ],
  },
  {
    rule: "sub.cds.com/*",
    permits: ["https://sub.cds.com/", "https://sub.cds.com", "http://sub.cds.com/any/path?q"],
    refuses: [
      "https://cds.com/",
      "https://a.sub.cds.com/",
      "https://subXcds.com/",
      "https://sub.cds.com.evil.example/",
    ],
  },
  {
    rule: "*.gef.com/*",
    permits: ["https://a.gef.com/", "https://a.b.gef.com/deep/path"],
    refuses: [
      "https://gef.com/",
      "https://agef.com/",
      "https://a.gef.com.evil.example/",
      "https://evil.example/a.gef.com/",
    ],
  },
  {
    rule: "www.abc.com/docs/*",
    permits: ["https://www.abc.com/docs/", "https://www.abc.com/docs/a"],
    refuses: ["https://www.abc.com/docs", "https://www.abc.com/docs/../admin", "https://www.abc.com/docsx/"],
  },
  {
    rule: "https://only.secure.example/*",
    permits: ["https://only.secure.example/x"],
    refuses: ["http://only.secure.example/x", "ftp://only.secure.example/x"],
  },
  {
    rule: "localhost:3000/*",
    permits: ["http://localhost:3000/app"],
    refuses: ["http://localhost/app", "http://localhost:3001/app"],
  },
  {
    rule: "plain.example",
    permits: ["https://plain.example/", "https://plain.example"],
    refuses: ["https://plain.example/x"],
  },
  { rule: "bücher.example/*", permits: ["https://xn--bcher-kva.example/"], refuses: ["https://bucher.example/"] },
];

describe.each(cases)("the rule $rule", ({ rule, permits, refuses }) => {
  test.each(permits)("permits %s", (referer) => {
    expect(createReferrerSet([rule]).permits(referer)).toBe(true);
  });

  test.each(refuses)("refuses %s", (referer) => {
    expect(createReferrerSet([rule]).permits(referer)).toBe(false);
  });
});

test.each([
  "",
  "*",
  "*.*",
  "*/*",
  "a*.example/*",
  "x.example*",
  "www.abc.com/*/end",
  "javascript:alert(1)",
  "a b.example/*",
  "*.",
  "user@abc.com/*",
])("a rule such as %j permits nothing", (rule) => {
  for (const referer of ["https://www.abc.com/", "https://x.example/", "javascript:alert(1)", "https://abc.com/", ""]) {
    expect(createReferrerSet([rule]).permits(referer)).toBe(false);
  }
});

test.each([undefined, "", "not a url", "//www.abc.com/path", "about:blank", "null"])(
  "the referrer %j is never permitted",
  (referer) => {
    expect(createReferrerSet(["www.abc.com/path", "*.abc.com/*"]).permits(referer)).toBe(false);
  },
);
