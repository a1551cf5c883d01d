import fc from "fast-check";
import { expect, test } from "vitest";
import { legacyResult, modernResult } from "../../../src/mcp/wire/era-results.ts";
import { withMeta, withoutReserved } from "../../../src/mcp/wire/reserved-meta.ts";

const name = fc.oneof(
  fc.string(),
  fc.string().map((text) => `io.modelcontextprotocol/${text}`),
);

test("of `_meta` nothing that the protocol reserves is left but the related task, and everything else is", () => {
  fc.assert(
    fc.property(fc.dictionary(name, fc.jsonValue()), (meta) => {
      const left = withoutReserved({
        a: 1,
        _meta: { ...meta, "io.modelcontextprotocol/related-task": { taskId: "t" } },
      });
      const kept = Object.entries(meta).filter(([key]) => !key.startsWith("io.modelcontextprotocol/"));
      expect(left).toEqual({
        a: 1,
        _meta: { ...Object.fromEntries(kept), "io.modelcontextprotocol/related-task": { taskId: "t" } },
      });
    }),
  );
});

test("params without anything reserved are the same object", () => {
  const params = { a: 1, _meta: { traceparent: "00-1" } };
  expect(withoutReserved(params)).toBe(params);
  expect(withMeta(params, { x: undefined })).toBe(params);
});

test("a progress token goes where it is told to", () => {
  expect(withoutReserved({ _meta: { progressToken: 1 } }, { progressToken: "drop" })).toEqual({});
  expect(withMeta({ _meta: { traceparent: "t" } }, { progressToken: 7 })).toEqual({
    _meta: { traceparent: "t", progressToken: 7 },
  });
});

test("a result of the one era is one of the other, and back", () => {
  const plain = { tools: [{ name: "a" }], nextCursor: "c" };
  const modern = modernResult("tools/list", plain, { name: "s" });
  expect(modern).toMatchObject({ resultType: "complete", ttlMs: 0, cacheScope: "private" });
  expect(legacyResult("tools/list", modern)).toEqual(plain);
  expect(modernResult("tools/list", { ...plain, ttlMs: 5, cacheScope: "public" }, undefined)).toMatchObject({
    ttlMs: 5,
    cacheScope: "private",
  });
});
