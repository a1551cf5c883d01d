import fc from "fast-check";
import { expect, test } from "vitest";
import { readJsonBody } from "../../src/control/json-body.ts";
import { GatewayError } from "../../src/kernel/errors.ts";

const limits = { maxBytes: 1_000, maxDepth: 10 };
const json = { "content-type": "application/json" };

function post(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = json): Request {
  return new Request("http://localhost/", { method: "POST", headers, body });
}

async function failure(request: Request): Promise<{ code: string; message: string }> {
  try {
    await readJsonBody(request, limits);
  } catch (error) {
    if (error instanceof GatewayError) return { code: error.code, message: error.message };
    throw error;
  }
  return { code: "accepted", message: "" };
}

test.each([
  { name: "application/json", type: "application/json", code: "accepted" },
  { name: "any case, with a charset", type: "Application/JSON; Charset=UTF-8", code: "accepted" },
  {
    name: "a media type that only holds the words",
    type: "text/plain; x=application/json",
    code: "request.unsupported_media_type",
  },
  { name: "a longer subtype", type: "application/jsonp", code: "request.unsupported_media_type" },
  { name: "a form", type: "application/x-www-form-urlencoded", code: "request.unsupported_media_type" },
  { name: "another charset", type: "application/json; charset=utf-16", code: "request.unsupported_media_type" },
  { name: "no media type", type: "json", code: "request.unsupported_media_type" },
])("takes or refuses a body by its parsed media type: $name", async ({ type, code }) => {
  expect((await failure(post("{}", { "content-type": type }))).code).toBe(code);
});

test.each([
  { name: "broken JSON", body: '{"a":', code: "request.malformed_json" },
  { name: "an empty body", body: "", code: "request.malformed_json" },
  { name: "two values", body: "{} {}", code: "request.malformed_json" },
  { name: "more levels than allowed", body: `${"[".repeat(11)}${"]".repeat(11)}`, code: "request.too_deep" },
  { name: "levels that would overflow a stack", body: "[".repeat(999), code: "request.too_deep" },
  { name: "invalid UTF-8", body: Buffer.from([0x22, 0xc3, 0x28, 0x22]), code: "request.invalid" },
  { name: "a member that occurs twice", body: '{"a":1,"\\u0061":2}', code: "request.invalid" },
  { name: "a member named __proto__", body: '{"a":[{"__proto__":{"admin":true}}]}', code: "request.invalid" },
  { name: "an escaped __proto__", body: '{"\\u005f_proto__":{"admin":true}}', code: "request.invalid" },
])("refuses $name", async ({ body, code }) => {
  expect((await failure(post(body))).code).toBe(code);
});

test("prototype-polluting names pollute nothing", async () => {
  await failure(post('{"__proto__":{"admin":true}}'));
  const value = await readJsonBody(post('{"constructor":{"prototype":{"admin":true}}}'), limits);
  expect(value).toEqual({ constructor: { prototype: { admin: true } } });
  expect(({} as Record<string, unknown>)["admin"]).toBeUndefined();
});

test("tells where the JSON breaks off, and repeats nothing of it", async () => {
  const { message } = await failure(post('{\n  "value": "hunter2" oops\n}'));
  expect(message).toContain("line 2");
  expect(message).not.toMatch(/hunter2|oops/);
});

test("refuses a body whose declared length is over the limit without reading it", async () => {
  let reads = 0;
  const body = new ReadableStream({ pull: () => void (reads += 1) }, { highWaterMark: 0 });
  const request = new Request("http://localhost/", {
    method: "POST",
    headers: { ...json, "content-length": "1001" },
    body,
    duplex: "half",
  });
  expect((await failure(request)).code).toBe("request.too_large");
  expect(reads).toBe(0);
});

test("counts the bytes that come, whatever was declared, and stops the sender at the limit", async () => {
  let sent = 0;
  let cancelled = false;
  const body = new ReadableStream({
    pull(controller) {
      sent += 100;
      controller.enqueue(new Uint8Array(100).fill(0x20));
    },
    cancel: () => void (cancelled = true),
  });
  const request = new Request("http://localhost/", { method: "POST", headers: json, body, duplex: "half" });
  expect((await failure(request)).code).toBe("request.too_large");
  expect(sent).toBeLessThan(2_000);
  expect(cancelled).toBe(true);
});

test("a body of exactly the limit is read", async () => {
  expect(await readJsonBody(post(`"${"x".repeat(998)}"`), limits)).toBe("x".repeat(998));
});

test("any JSON value comes through whole, however it is cut on the way", async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue({ maxDepth: 4 }), fc.integer({ min: 1, max: 7 }), async (value, size) => {
      const bytes = Buffer.from(JSON.stringify(value));
      fc.pre(!bytes.includes("__proto__"));
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
        bytes.subarray(at * size, (at + 1) * size),
      );
      const request = new Request("http://localhost/", {
        method: "POST",
        headers: json,
        body: ReadableStream.from(pieces),
        duplex: "half",
      });
      const read = await readJsonBody(request, { maxBytes: 1_000_000, maxDepth: 10 });
      expect(read).toEqual(JSON.parse(JSON.stringify(value)));
    }),
    { numRuns: 60 },
  );
});
