import { expect, test } from "vitest";
import { decodeBatch } from "../../../src/gateway/mcp/decode-batch.ts";
import { mcpExchange } from "./mcp-exchange.ts";
import { toolCall } from "./published-server.ts";

function decoded(messages: readonly string[]) {
  const body = Buffer.from(`[ ${messages.join(" ,\n")} ]`);
  const values = JSON.parse(body.toString("utf8")) as readonly unknown[]; // it is written as a list above
  const before = process.cpuUsage();
  const batch = decodeBatch(mcpExchange(), values, body, { version: "2025-03-26", session: undefined });
  const { user, system } = process.cpuUsage(before);
  if (batch === undefined || "type" in batch) throw new TypeError("it is a good batch");
  return { sent: batch.batch.map(({ body: own }) => own.toString("utf8")), tookUs: user + system };
}

const others = Array.from({ length: 49 }, (_, at) => JSON.stringify(toolCall("legacy", at + 1, "echo")));

test("gives each message of a batch its own bytes as they came", () => {
  const odd = '{"jsonrpc": "2.0", "id":0,"method":"tools/call","params":{"name":"],[\\"\\\\","arguments":{"n":1e400}}}';
  expect(decoded([odd, ...others]).sent).toEqual([odd, ...others]);
});

test("takes a batch apart in one walk, however many messages stand behind a long one", () => {
  const list = `[${"1,".repeat(2_000_000)}1]`;
  const long = `{"jsonrpc":"2.0","id":0,"method":"tools/call","params":{"name":"a","arguments":{"list":${list}}}}`;
  decoded([long]);
  const alone = Math.max(decoded([long]).tookUs, 1_000);
  expect(decoded([long, ...others]).tookUs).toBeLessThan(8 * alone); // 50 walks are 50 times as much
});
