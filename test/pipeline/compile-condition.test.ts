import { describe, expect, test } from "vitest";
import { compileCondition } from "../../src/pipeline/compile-condition.ts";
import { buildExchange, buildOperation } from "../kit/exchange.ts";

const exchange = buildExchange({ inbound: { method: "POST", clientIp: "192.0.2.7", headers: { "x-team": "blue" } } });
const operation = buildOperation({ kind: "chat", name: "gpt-4", stream: true });

describe("a condition", () => {
  test.each([
    ["reads the request", 'request.method == "POST" && request.headers["x-team"] == "blue"', true],
    ["reads the operation", 'operation.name.startsWith("gpt-") && operation.stream', true],
    ["reads the caller", 'principal.environment == "production" && principal.applicationId == ""', true],
    ["reads the API", 'api.context == "/chat"', true],
    ["may be false", 'operation.kind == "embeddings"', false],
    ["tells whether a header is there", '"x-none" in request.headers', false],
    ["holds where it cannot be evaluated, so that its policy applies", 'request.headers["x-none"] == "a"', true],
    ["holds where it gives no boolean", "operation.name", true],
  ])("%s", (_name, expression, holds) => {
    expect(compileCondition(expression)(exchange, operation)).toBe(holds);
  });

  test.each([
    ["is no CEL", "operation.name =="],
    ["names what is not there", "secrets.key == 'a'"],
    ["calls what is not there", "process.exit(1)"],
    ["gives a number", "1 + 1"],
    ["uses a pattern, whose time could explode", 'operation.name.matches("^(a+)+$")'],
    ["hides a pattern in a list", '["a"].exists(each, each.matches("^(a+)+$"))'],
    ["is far too large", `true${" && true".repeat(600)}`],
    ["is nested far too deeply", `${"(".repeat(80)}true${")".repeat(80)}`],
  ])("that %s is refused", (_name, expression) => {
    expect(() => compileCondition(expression)).toThrow(expect.objectContaining({ code: "resource.invalid" }));
  });
});
