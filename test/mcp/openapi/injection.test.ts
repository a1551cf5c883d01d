import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { base, body, faults, operation, sent } from "./tiny-description.ts";

const text = { type: "string" };
const compiled = operation("/users/{user}/files/{file}.json", {
  parameters: [
    { name: "user", in: "path", required: true, schema: text },
    { name: "file", in: "path", required: true, schema: text },
    { name: "q", in: "query", schema: text },
    { name: "X-Note", in: "header", schema: text },
  ],
});

/** What attackers write: pieces of URLs, headers and encodings, in any order. */
const hostile = fc
  .array(
    fc.constantFrom(
      ..."/ \\ . .. %2e %2E%2e %2f %5c ? # & = ; @ : // \r \n \r\n \0 \t %0d%0a %00 x http://evil.test {user} ü \ud800".split(
        " ",
      ),
      " ",
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(""));

describe("arguments of a hostile caller (CVE-2026-29791)", () => {
  test("never change the server, the segments of the path, the other parameters or the headers", () => {
    let taken = 0;
    fc.assert(
      fc.property(hostile, hostile, hostile, hostile, (user, file, q, note) => {
        const outcome = compiled.toHttpRequest({ user, file, q, "X-Note": note });
        if ("faults" in outcome) return;
        taken += 1;
        const { url: address, headers } = outcome.request;
        const url = new URL(address);
        expect(address.startsWith(`${base}/users/`)).toBe(true);
        // The platform's own reader resolves dots and encodings: nothing may be left for it to resolve.
        expect(url.href).toBe(address);
        const segments = url.pathname.split("/");
        expect(segments).toHaveLength(6);
        expect([segments[0], segments[1], segments[2], segments[4]]).toEqual(["", "v1", "users", "files"]);
        expect(decodeURIComponent(segments[3] ?? "")).toBe(user);
        expect(decodeURIComponent(segments[5] ?? "")).toBe(`${file}.json`);
        expect(Array.from(url.searchParams)).toEqual([["q", q]]);
        expect(url.hash).toBe("");
        expect(() => new Headers(headers)).not.toThrow();
        expect(new Headers(headers).get("x-note")).toBe(note);
      }),
      { numRuns: 2_000 },
    );
    expect(taken).toBeGreaterThan(20);
  });

  test.each([
    { name: "..", value: ".." },
    { name: ".", value: "." },
    { name: "dots between slashes", value: "a/../b" },
    { name: "dots between backslashes", value: "a\\..\\b" },
    { name: "encoded dots", value: "%2e%2e" },
    { name: "encoded dots and slashes", value: "..%2fadmin" },
    { name: "half encoded dots", value: ".%2E/admin" },
    { name: "dots before a path parameter", value: "..;/admin" },
    { name: "nothing", value: "" },
    { name: "a line break", value: "a\r\nb" },
    { name: "a zero", value: "a\0" },
    { name: "half a character", value: "\ud800" },
  ])("$name is refused in a path", ({ value }) => {
    expect(faults(compiled, { user: value, file: "f" })).toHaveLength(1);
    expect(faults(compiled, { user: value, file: "f" })[0]).toMatch(/^user /);
  });

  test("two harmless values cannot make a segment of dots together", () => {
    const both = operation("/x/{a}{b}", { parameters: [] }, { method: "get" });
    expect(faults(both, { a: ".x", b: ".y" })).toEqual([]);
    const dot = operation("/x/.{a}", {}, { method: "get" });
    expect(faults(dot, { a: "." })).not.toEqual([]);
  });

  test("a slash in a value stays in its segment", () => {
    expect(sent(compiled, { user: "a/b", file: "c" }).path).toBe("/users/a%2Fb/files/c.json");
  });

  test.each(["a\r\nX-Evil: 1", "a\nb", "a\0", " a", "a ", "ü", "\u{1f600}"])("%j is refused in a header", (value) => {
    expect(faults(compiled, { user: "u", file: "f", "X-Note": value })).toEqual([
      "X-Note holds what a header cannot carry: line breaks, control or non-ASCII characters, or spaces at its ends",
    ]);
  });

  test("members of an object in the query cannot pass for other parameters", () => {
    const parameters = [
      { name: "filter", in: "query", schema: { type: "object", additionalProperties: text } },
      { name: "admin", in: "query", schema: text },
    ];
    const listed = operation("/x", { parameters }, { method: "get" });
    expect(faults(listed, { filter: { admin: "1" } })).toEqual(["filter.admin is another parameter's name"]);
    expect(sent(listed, { filter: { "a&b": "c=d" } }).path).toBe("/x?a%26b=c%3Dd");
  });

  test("names and files of a multipart body cannot write headers or parts", async () => {
    const schema = { type: "object", properties: { 'a"b': text, file: { type: "string", format: "binary" } } };
    const upload = operation("/x", body("multipart/form-data", schema));
    const outcome = upload.toHttpRequest({
      a_b: "--part-0\r\nContent-Disposition: form-data; name=evil\r\n\r\n1",
      file: { text: "x", filename: 'f"\r\nX-Evil: 1' },
    });
    if (!("request" in outcome)) throw new Error("refused");
    const { headers, body: bytes } = outcome.request;
    const form = await new Response(Buffer.from(bytes ?? []), { headers }).formData();
    expect(Array.from(form.keys())).toEqual(['a"b', "file"]);
    expect(Buffer.from(bytes ?? []).toString("utf8")).not.toMatch(/^X-Evil/m);
  });

  test("an address does not grow without end", () => {
    expect(faults(compiled, { user: "u", file: "f", q: "x".repeat(20_000) })).toEqual([
      "makes an address longer than 16384 characters",
    ]);
  });
});

describe("names that every JavaScript object has", () => {
  const names = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"];

  test("are arguments like any other, and those that are not there are not", () => {
    const parameters = names.map((name) => ({ name, in: "query", schema: text }));
    const odd = operation("/x", { parameters }, { method: "get" });
    expect(sent(odd, {}).path).toBe("/x");
    const args = { proto: "1", constructor: "2", prototype: "3", toString: "4", hasOwnProperty: "5" };
    const query = new URLSearchParams(sent(odd, args).path.slice("/x?".length));
    expect(Array.from(query)).toEqual(names.map((name, index) => [name, String(index + 1)]));
    expect(faults(odd, JSON.parse('{"__proto__":"1"}'))).toHaveLength(1);
  });

  test("as members of a body they are sent and change nothing here", () => {
    const properties = JSON.parse('{"__proto__":{"type":"object"},"constructor":{"type":"string"}}') as Record<
      string,
      unknown
    >; // an object, as written there
    const odd = operation("/x", body("application/json", { type: "object", properties }));
    const outcome = sent(odd, JSON.parse('{"constructor":"c"}'));
    expect(outcome.text).toBe('{"constructor":"c"}');
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined(); // nobody's prototype was written to
    expect(faults(odd, JSON.parse('{"__proto__":{"polluted":1}}'))).toHaveLength(1);
  });
});
