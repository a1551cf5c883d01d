import { expect, test } from "vitest";
import { meantCall } from "../../../../src/gateway/mcp/search/meant-call.ts";
import { readJsonRpc } from "../../../../src/mcp/wire/json-rpc.ts";
import { buildExchange } from "../../../kit/exchange.ts";

const plain = buildExchange().api;
const api = { ...plain, protocol: { ...plain.protocol, own: { hasToolSearch: true } } };

function meant(text: string) {
  const message = readJsonRpc(JSON.parse(text));
  if (message.type === "invalid") throw new Error(message.reason);
  return meantCall(api, message, Buffer.from(text));
}

test("a call by call_tool is the call that it names, and its arguments keep their bytes", () => {
  const found = meant(
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"call_tool", "_meta":{"a":1},"arguments":{"x":0,"arguments": {"n":12345678901234567890.0} ,"name":"pay"}}}',
  );
  expect("type" in found ? undefined : found.body.toString()).toBe(
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pay", "_meta":{"a":1},"arguments":{"n":12345678901234567890.0}}}',
  );
  expect(found).toMatchObject({ message: { params: { name: "pay", _meta: { a: 1 } } }, isSearch: false });
});

test.each(['{"name":"pay"}', '{"name":"pay","arguments":null}'])(
  "without arguments, as in %s, it has none",
  (given) => {
    const found = meant(
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"call_tool","arguments":${given}}}`,
    );
    expect("type" in found ? undefined : JSON.parse(found.body.toString())).toMatchObject({
      params: { name: "pay", arguments: {} },
    });
  },
);

test.each(["tools/list", "prompts/get"])("%s is what it is", (method) => {
  const text = `{"jsonrpc":"2.0","id":1,"method":"${method}","params":{"name":"call_tool"}}`;
  expect(meant(text)).toMatchObject({ isSearch: false, body: Buffer.from(text) });
});
