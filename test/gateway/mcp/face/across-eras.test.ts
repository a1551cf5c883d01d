import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../../kit/eventually.ts";
import type { Bridge } from "./bridge-kit.ts";
import { startBridge } from "./bridge-kit.ts";

let bridge: Bridge;

beforeAll(async () => {
  bridge = await startBridge("modern");
});

afterAll(() => bridge[Symbol.asyncDispose]());

test("what a server wants repeated in headers is repeated, though the client has never heard of it", async () => {
  const client = await bridge.client("legacy");
  for (const region of ["Łódź ", "plain"]) {
    const answer = await client.callTool({ name: "test_mirrored_argument", arguments: { region } });
    expect(answer.content).toEqual([{ type: "text", text: `Region: ${region}` }]);
  }
});

test("a client that cannot be asked gets an error that says what it lacks", async () => {
  const client = await bridge.client("legacy", { capabilities: {} });
  const call = client.callTool({ name: "test_sampling", arguments: { prompt: "Capital of France?" } });
  await expect(call).rejects.toThrow(/sampling/);
  const { content } = await client.callTool({ name: "echo", arguments: { text: "still here" } });
  expect(content).toEqual([{ type: "text", text: "still here" }]);
});

test("a server that dies in the middle of a call costs that call an error, and no session", async () => {
  await using dying = await startBridge("modern");
  const client = await dying.client("legacy");
  const call = client.callTool({ name: "work_until_stopped", arguments: {} });
  call.catch(() => undefined); // it is looked at below
  await eventually("the server works", () => dying.fixture.working === 1);
  dying.fixture.dropConnections();
  await expect(call).rejects.toThrow(/closed|ended/);
  const { content } = await client.callTool({ name: "echo", arguments: { text: "still here" } });
  expect(content).toEqual([{ type: "text", text: "still here" }]);
});

test("each message has its row, and a question of the server's has one of its own", async () => {
  await using counted = await startBridge("modern");
  const client = await counted.client("legacy");
  await client.callTool({ name: "test_elicitation", arguments: { message: "Who?" } });
  await client.callTool({ name: "test_error_handling", arguments: {} });
  const told = (await counted.gatehouse.events()).flatMap((event) => {
    if (event.type !== "exchange") return [];
    const { direction, tool_error: isToolError } = event.fields;
    return [`${event.operation_kind} ${String(direction)} ${String(isToolError)}`];
  });
  expect(told).toContain("elicitation/create server_to_client false");
  expect(told).toContain("response client_to_server false");
  expect(told).toContain("tools/call client_to_server true");
});
