import { expect, test } from "vitest";
import { findUrls } from "../../../src/guardrails/url/find-urls.ts";

const found = (text: string): readonly string[] => findUrls(text, 1_000, 100).map(({ url }) => url);

test.each([
  { name: "one in a sentence", text: "See https://a.example/b?c=d#e, please.", urls: ["https://a.example/b?c=d#e"] },
  {
    name: "those of Markdown",
    text: "[a](https://a.example/x_(y)) ![b](//b.example/i.png)",
    urls: ["https://a.example/x_(y)", "https://b.example/i.png"],
  },
  {
    name: "those of HTML",
    text: `<img src="//a.example/i"><a href='https://b.example'>`,
    urls: ["https://a.example/i", "https://b.example"],
  },
  {
    name: "one in another",
    text: "https://a.example/?to=https://b.example",
    urls: ["https://a.example/?to=https://b.example", "https://b.example"],
  },
  {
    name: "any scheme",
    text: "ftp://a.example javascript:alert(1) data:text/html,x git+ssh://c.example",
    urls: ["ftp://a.example", "javascript:alert(1)", "data:text/html,x", "git+ssh://c.example"],
  },
  { name: "one without a scheme", text: "at www.a.example.", urls: ["http://www.a.example"] },
  {
    name: "backslashes and missing slashes",
    text: "https:\\\\a.example https:/b.example https:c.example",
    urls: ["https:\\\\a.example", "https:/b.example", "https:c.example"],
  },
  {
    name: "addresses of both versions",
    text: "http://[::1]:80/x http://0x7f.1/",
    urls: ["http://[::1]:80/x", "http://0x7f.1/"],
  },
  { name: "slashes escaped in JSON", text: '{"u":"https:\\/\\/a.example\\/b"}', urls: ["https:\\/\\/a.example\\/b"] },
  {
    name: "letters escaped in JSON",
    text: '{"u":"https://\\u0061.example"}',
    urls: ["https://a.example"],
  },
  { name: "nothing behind an escaped line's end", text: '"https://a.example/b\\nand"', urls: ["https://a.example/b"] },
  {
    name: "nothing in code and prose",
    text: "a // b; http: yes {data:t} note:x //todo e.g. 1/2 C:\\dir mailto:a@www.b.c",
    urls: [],
  },
  { name: "nothing in a scheme alone", text: "https:// http://... and https://<host>", urls: [] },
])("finds $name", ({ text, urls }) => {
  expect(found(text)).toEqual(urls);
});

test("a run that is longer than a URL may be is one", () => {
  const [first, ...others] = findUrls(`https://a.example/${"https://b.example/".repeat(10)}`, 100, 100);
  expect(first).toMatchObject({ start: 0, end: 198 });
  expect(others).toEqual([]);
});

test.each([
  "a",
  "a.",
  "https:",
  "https://",
  "www.a",
  "//",
  "(",
  "https://a)",
  "\\u0061",
  ":",
  "https://a.b/?u=",
  "\u200b",
])(
  "a million characters of %j are read in time that grows with the text only",
  (unit) => {
    const startMs = performance.now();
    findUrls(unit.repeat(1_000_000 / unit.length), 1_000, 1_000);
    expect(performance.now() - startMs).toBeLessThan(15_000);
  },
  20_000,
);
