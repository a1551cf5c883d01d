import { describe, expect, test } from "vitest";
import { readJsonRpc } from "../../../src/mcp/wire/json-rpc.ts";

const base = { jsonrpc: "2.0" };

describe("a JSON value", () => {
  test.each([
    { name: "a request", value: { ...base, id: 1, method: "ping" }, type: "request" },
    { name: "a request with a text for an id", value: { ...base, id: "", method: "ping" }, type: "request" },
    { name: "a notification", value: { ...base, method: "notifications/x", params: {} }, type: "notification" },
    { name: "a result", value: { ...base, id: 1, result: {} }, type: "response" },
    { name: "an error", value: { ...base, id: 1, error: { code: 1, message: "" } }, type: "response" },
    { name: "an error to nobody", value: { ...base, id: null, error: { code: 1, message: "" } }, type: "response" },
    { name: "a message of tomorrow", value: { ...base, id: 1, method: "x", extra: { y: 1 } }, type: "request" },
  ])("is $name", ({ value, type }) => {
    expect(readJsonRpc(value).type).toBe(type);
  });

  test.each([
    { name: "nothing", value: undefined },
    { name: "null", value: null },
    { name: "a list", value: [{ ...base, method: "x" }] },
    { name: "of no version", value: { id: 1, method: "x" }, id: 1 },
    { name: "a request with an id that is null", value: { ...base, id: null, method: "x" } },
    { name: "a request with an id that is an object", value: { ...base, id: {}, method: "x" } },
    { name: "a request with a very long id", value: { ...base, id: "x".repeat(2_000), method: "x" } },
    { name: "a request without a method's name", value: { ...base, id: 1, method: "" }, id: 1 },
    { name: "a request with a list for params", value: { ...base, id: 1, method: "x", params: [] }, id: 1 },
    { name: "a result that is a text", value: { ...base, id: 1, result: "x" } },
    { name: "an error without a code", value: { ...base, id: 1, error: { message: "x" } } },
    { name: "both result and error", value: { ...base, id: 1, result: {}, error: { code: 1 } }, id: 1 },
  ])("is no message: $name", ({ value, id }) => {
    expect(readJsonRpc(value)).toEqual({ type: "invalid", reason: expect.any(String) as unknown, id });
  });
});
