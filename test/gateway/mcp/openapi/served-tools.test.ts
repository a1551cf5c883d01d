import { expect, test } from "vitest";
import { createServedTools } from "../../../../src/gateway/mcp/openapi/served-tools.ts";
import { compileOperation } from "../../../../src/mcp/openapi/compile-operation.ts";
import type { RefusedOperation } from "../../../../src/mcp/openapi/openapi-tool.ts";
import { readOpenApi } from "../../../../src/mcp/openapi/read-openapi.ts";
import { toolCandidates } from "../../../../src/mcp/openapi/tools-from-openapi.ts";

const going = { isCancelled: false };

/** A description of so many operations, of which those at some places refer to nothing. */
function manyTools(count: number, broken: readonly number[] = []) {
  const operation = (index: number): object => {
    const schema = broken.includes(index) ? { $ref: "#/components/schemas/None" } : { type: "string" };
    return { get: { operationId: `read${index}`, parameters: [{ name: "q", in: "query", schema }], responses: {} } };
  };
  const places = Array.from({ length: count }, (_, index) => [`/${String(index).padStart(5, "0")}`, operation(index)]);
  const document = readOpenApi({ openapi: "3.1.0", info: {}, paths: Object.fromEntries(places) });
  const refused: RefusedOperation[] = [];
  const made: string[] = [];
  const { candidates } = toolCandidates(document, { select: { include: ["*"] } });
  const compile: Parameters<typeof createServedTools>[1] = (tool) => {
    made.push(tool.definition.name);
    return compileOperation(tool, { baseUrl: "https://api.example.test" });
  };
  return { served: createServedTools(candidates, compile, (one) => refused.push(one)), made, refused };
}

test("publishing makes one tool of a thousand, a call the one that it names, and each is made once", () => {
  const { served, made } = manyTools(1_000);
  expect(served.first()?.definition.name).toBe("read0");
  expect(served.find("read700")).toBe(served.find("read700"));
  expect(served.find("nothing")).toBeUndefined();
  expect(made).toEqual(["read0", "read700"]);
});

test("hints of a tool are known before it is made", () => {
  const { served, made } = manyTools(10);
  expect(served.hintsOf("read3")).toMatchObject({ readOnlyHint: true });
  expect(served.hintsOf("nothing")).toBeUndefined();
  expect(made).toEqual([]);
});

test("while a long list is made, other work of the process has its turn after every few tools", async () => {
  const { served, made } = manyTools(1_000);
  const atTurns = [0];
  let isListed = false;
  const turn = (): void => {
    atTurns.push(made.length);
    if (!isListed) setImmediate(turn);
  };
  setImmediate(turn);
  const { tools, next } = await served.page(0, 1_000, going);
  isListed = true;
  expect([tools.length, next]).toEqual([1_000, undefined]);
  const steps = atTurns.slice(1).map((count, index) => count - (atTurns[index] ?? 0));
  expect(Math.max(...steps)).toBeLessThanOrEqual(10);
});

test("pages hold what they promise where operations cannot be tools, and there is no empty last one", async () => {
  const { served, refused } = manyTools(9, [0, 3, 7, 8]);
  const first = await served.page(0, 3, going);
  const second = await served.page(first.next ?? 0, 3, going);
  const names = [first, second].map(({ tools }) => tools.map(({ name }) => name));
  expect(names).toEqual([
    ["read1", "read2", "read4"],
    ["read5", "read6"],
  ]);
  expect(second.next).toBeUndefined();
  await served.page(0, 9, going);
  expect(refused.map(({ operation }) => operation)).toEqual(["GET /00000", "GET /00003", "GET /00007", "GET /00008"]);
  expect(served.find("read3")).toBeUndefined();
});

test("a client that has left ends the making of its list", async () => {
  const { served, made } = manyTools(1_000);
  const cancellation = { isCancelled: false };
  setImmediate(() => {
    cancellation.isCancelled = true;
  });
  await served.page(0, 1_000, cancellation);
  expect(made.length).toBeLessThan(50);
});
