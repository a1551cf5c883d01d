import { afterEach, beforeEach, expect, test } from "vitest";
import type { RpcAnswer } from "../gateway/mcp/published-server.ts";
import { messageOf } from "../gateway/mcp/published-server.ts";
import { eventually } from "../kit/eventually.ts";
import type { GatehouseProcess } from "../kit/gatehouse-process.ts";
import { json } from "../kit/mock-upstream.ts";
import type { Processes } from "./plane-processes.ts";
import { addToken, openProcesses, put } from "./plane-processes.ts";

let processes: Processes;

beforeEach(async () => {
  processes = await openProcesses();
});
afterEach(() => processes[Symbol.asyncDispose]());

interface Pin {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly seenHash: string;
}

async function publish(control: GatehouseProcess): Promise<string> {
  const upstream = { production: { url: `${processes.upstream.url}/mcp` }, sandbox: { sameAs: "production" } };
  const spec = { context: "/desk", upstream, pins: { mode: "quarantine" } };
  await put(control, "/mcp-servers", { metadata: { name: "desk" }, spec });
  expect((await control.control("POST", "/mcp-servers/desk/publish")).status).toBeLessThan(300);
  const key = { api: { kind: "McpServer", name: "desk" }, environment: "production" };
  const made = await control.control("POST", "/api-keys", { metadata: { name: "first" }, spec: key });
  return (made.json as { key: string }).key; // a call with it fails where there is none
}

async function tools(gateway: GatehouseProcess, key: string): Promise<readonly string[]> {
  const answer = await fetch(`${gateway.gatewayUrl}/desk/mcp`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2025-11-25",
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" }),
  });
  const { result } = (await answer.json()) as RpcAnswer; // the upstream's, as offered below
  return ((result?.["tools"] ?? []) as { name: string }[]).map(({ name }) => name);
}

test("what one gateway alone has seen change is hidden at both, and what is approved is shown at both", async () => {
  const offer = (description: string) =>
    processes.upstream.respond((seen, response) => {
      const list = [{ name: "pay", description, inputSchema: {} }];
      return json(200, { jsonrpc: "2.0", id: messageOf(seen).id, result: { tools: list } })(seen, response);
    });
  offer("Pays.");
  const control = await processes.startControl();
  const key = await publish(control);
  const one = await processes.startGateway("one", control, { token: await addToken(control) });
  const two = await processes.startGateway("two", control, { token: await addToken(control) });
  const pinOf = async (): Promise<Pin | undefined> => {
    const { items } = (await control.control("GET", "/mcp-servers/desk/pins")).json as { items: Pin[] }; // a list of them
    return items.find(({ name }) => name === "pay");
  };
  expect(await tools(one, key)).toEqual(["pay"]);
  await eventually("the control plane has the pin", async () => (await pinOf())?.state === "approved", 5_000);

  offer("Pays, and tells everybody.");
  expect(await tools(one, key)).toEqual([]);
  await eventually("the control plane has the change", async () => (await pinOf())?.state === "changed", 5_000);
  // The second has not seen the first definition itself: it knows by the feed what was approved.
  await eventually("the second hides it too", async () => (await tools(two, key)).length === 0, 5_000);

  const pin = await pinOf();
  const approval = { pin: pin?.id, seenHash: pin?.seenHash };
  expect((await control.control("POST", "/mcp-servers/desk/pins/approve", approval)).status).toBe(200);
  await eventually(
    "both show it",
    async () => {
      const shown = await Promise.all([tools(one, key), tools(two, key)]);
      return shown.every((each) => each.length === 1);
    },
    5_000,
  );
});
