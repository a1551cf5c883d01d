import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/mcp/openapi/json-object.ts";
import { body, faults, operation, sent } from "./tiny-description.ts";

const text = { type: "string" };

describe("a JSON body", () => {
  test("is made of its members, under the description's names, and is what was given", () => {
    const schema = {
      type: "object",
      properties: { "user[name]": text, tags: { type: "array", items: text }, n: { type: ["integer", "null"] } },
    };
    const compiled = operation("/x", body("application/json", schema));
    const { text: bytes, headers } = sent(compiled, { user_name: "ü", tags: [], n: null });
    expect(JSON.parse(bytes)).toEqual({ "user[name]": "ü", tags: [], n: null });
    expect(headers).toEqual({ accept: "application/json, */*;q=0.5", "content-type": "application/json" });
  });

  test("that is needed is an empty object where nothing is given, and one that is not is left out", () => {
    const node = body("application/merge-patch+json", { type: "object", properties: { a: text } });
    expect(sent(operation("/x", node), {})).toMatchObject({
      text: "{}",
      headers: { "content-type": "application/merge-patch+json" },
    });
    const content = { "application/json": { schema: { type: "object", properties: { a: text } } } };
    const free = sent(operation("/x", { requestBody: { content } }), {});
    expect(free.text).toBe("");
    expect(free.headers).not.toHaveProperty("content-type");
  });

  test("of another shape is one argument", () => {
    const compiled = operation("/x", body("application/json", { type: "array", items: { type: "integer" } }));
    expect(sent(compiled, { body: [1, 2] }).text).toBe("[1,2]");
    expect(faults(compiled, { body: ["1"] })).toEqual(["body[0] must be integer, not string"]);
    expect(faults(compiled, {})).toEqual(["body is required"]);
  });
});

describe("a form", () => {
  const form = (schema: JsonObject, more: JsonObject, args: JsonObject): string => {
    const compiled = operation(
      "/x",
      body("application/x-www-form-urlencoded", { type: "object", properties: schema }, more),
    );
    return sent(compiled, args).text;
  };

  test.each([
    { name: "texts", schema: { a: text }, more: {}, args: { a: "b&c=d +ü" }, expected: "a=b%26c%3Dd%20%2B%C3%BC" },
    {
      name: "lists, once for each value",
      schema: { a: { type: "array", items: text } },
      more: {},
      args: { a: ["1", "2"] },
      expected: "a=1&a=2",
    },
    {
      name: "objects, as JSON",
      schema: { a: { type: "object" } },
      more: {},
      args: { a: { b: 1 } },
      expected: "a=%7B%22b%22%3A1%7D",
    },
    {
      name: "objects in the style that is told",
      schema: { a: { type: "object" } },
      more: { encoding: { a: { style: "deepObject", explode: true } } },
      args: { a: { b: { c: [1] } } },
      expected: "a%5Bb%5D%5Bc%5D%5B0%5D=1",
    },
    {
      name: "lists without exploding",
      schema: { a: { type: "array", items: text } },
      more: { encoding: { a: { explode: false } } },
      args: { a: ["1", "2"] },
      expected: "a=1,2",
    },
    {
      name: "nothing for null",
      schema: { a: { type: ["string", "null"] } },
      more: {},
      args: { a: null },
      expected: "",
    },
  ])("has $name", ({ schema, more, args, expected }) => {
    expect(form(schema, more, args as JsonObject)).toBe(expected);
  });
});

describe("a multipart body", () => {
  const file = { type: "string", format: "binary" };
  const schema = {
    type: "object",
    required: ["file"],
    properties: { file, more: { type: "array", items: file }, meta: { type: "object" }, title: text },
  };
  const compiled = operation(
    "/x",
    body("multipart/form-data", schema, { encoding: { file: { contentType: "image/png, image/gif" } } }),
  );

  const parts = async (
    args: JsonObject,
  ): Promise<readonly (readonly [string, string, string | undefined, string | undefined])[]> => {
    const outcome = compiled.toHttpRequest(args);
    if (!("request" in outcome)) throw new Error(JSON.stringify(outcome.faults));
    const { body: bytes, headers } = outcome.request;
    const form = await new Response(Buffer.from(bytes ?? []), { headers }).formData();
    return Promise.all(
      Array.from(form, async ([name, part]) =>
        typeof part === "string"
          ? ([name, part, undefined, undefined] as const)
          : ([name, Buffer.from(await part.arrayBuffer()).toString("hex"), part.name, part.type] as const),
      ),
    );
  };

  test("has files from base64 or text, objects as JSON, and texts", async () => {
    const args = {
      file: { data: "AP8=", filename: "a.png", mediaType: "image/png" },
      more: [{ text: "a" }, { text: "b" }],
      meta: { a: 1 },
      title: "T",
    };
    expect(await parts(args)).toEqual([
      ["file", "00ff", "a.png", "image/png"],
      ["meta", '{"a":1}', undefined, undefined],
      ["more", "61", "file", "application/octet-stream"],
      ["more", "62", "file", "application/octet-stream"],
      ["title", "T", undefined, undefined],
    ]);
    expect(await parts({ file: { text: "x" } })).toEqual([["file", "78", "file", "image/png"]]);
  });

  test.each([
    {
      name: "what is no base64",
      args: { file: { data: "***" } },
      fault: "file.data must be base64, without line breaks",
    },
    {
      name: "a file with text and bytes",
      args: { file: { data: "", text: "" } },
      fault: "file fits several forms of which it must have exactly one",
    },
    {
      name: "a media type that begins a header",
      args: { file: { text: "", mediaType: "a/b\r\nX: 1" } },
      fault: /^file\.mediaType must match/,
    },
  ])("refuses $name", ({ args, fault }) => {
    expect(faults(compiled, args)[0]).toEqual(typeof fault === "string" ? fault : expect.stringMatching(fault));
  });

  test("is the same bytes for the same arguments", () => {
    const args = { file: { text: "x" }, title: "T" };
    expect(compiled.toHttpRequest(args)).toEqual(compiled.toHttpRequest(args));
  });
});

describe("bodies of other types", () => {
  test("text is sent as it is", () => {
    expect(sent(operation("/x", body("text/plain", text)), { body: "ü" })).toMatchObject({
      text: "ü",
      headers: { "content-type": "text/plain" },
    });
    expect(sent(operation("/x", body("application/xml", { type: "object" })), { body: "<a/>" })).toMatchObject({
      text: "<a/>",
      headers: { "content-type": "application/xml" },
    });
  });

  test("bytes come from a file, under its own type where it has one", () => {
    const compiled = operation("/x", body("application/octet-stream", { type: "string", format: "binary" }));
    expect(sent(compiled, { body: { data: "YWI=" } })).toMatchObject({
      text: "ab",
      headers: { "content-type": "application/octet-stream" },
    });
    expect(sent(compiled, { body: { data: "YWI=", mediaType: "image/png" } }).headers["content-type"]).toBe(
      "image/png",
    );
  });

  test("JSON is chosen before forms, and forms before bytes", () => {
    const schema = { type: "object", properties: { a: text } };
    const content = {
      "application/octet-stream": {},
      "multipart/form-data": { schema },
      "application/json": { schema },
    };
    expect(operation("/x", { requestBody: { content } }).tool.request.body?.encoding).toBe("json");
  });
});
