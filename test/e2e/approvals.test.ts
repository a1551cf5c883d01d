import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { RpcAnswer } from "../gateway/mcp/published-server.ts";
import { answering, toolCall } from "../gateway/mcp/published-server.ts";
import { eventually } from "../kit/eventually.ts";
import type { GatehouseProcess } from "../kit/gatehouse-process.ts";
import { startGatehouseProcess } from "../kit/gatehouse-process.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { startMockUpstream } from "../kit/mock-upstream.ts";

const adminToken = "approvals-admin-token-0123456789";

let root: string;
let upstream: MockUpstream;
let open: AsyncDisposableStack;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "gatehouse-approvals-"));
  upstream = await startMockUpstream(answering("done"));
  open = new AsyncDisposableStack();
});
afterEach(async () => {
  await open.disposeAsync();
  await upstream[Symbol.asyncDispose]();
  await rm(root, { recursive: true, force: true });
});

async function startControl(): Promise<GatehouseProcess> {
  const dataDir = join(root, "control");
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  return open.use(await startGatehouseProcess({ dataDir, adminToken }));
}

async function startGateway(name: string, control: GatehouseProcess): Promise<GatehouseProcess> {
  const dataDir = join(root, name);
  await mkdir(dataDir, { mode: 0o700 });
  const { json } = await control.control("POST", "/gateways/default/tokens");
  const tokenFile = join(root, `${name}.token`);
  await writeFile(tokenFile, (json as { token: string }).token, { mode: 0o600 }); // made just now
  const args = ["--planes", "gateway", "--control-url", control.controlUrl, "--gateway-token-file", tokenFile];
  return open.use(await startGatehouseProcess({ dataDir, adminToken, args, env: { GATEHOUSE_GATEWAY_NODE: name } }));
}

/** A server at `/desk` whose calls wait, and a key for it. */
async function putServer(control: GatehouseProcess, waitMs: number): Promise<string> {
  const production = { url: `${upstream.url}/mcp` };
  const policies = [{ use: "hold", with: { waitMs } }];
  const spec = { context: "/desk", upstream: { production, sandbox: { sameAs: "production" } }, policies };
  expect((await control.control("POST", "/mcp-servers", { metadata: { name: "desk" }, spec })).status).toBe(201);
  expect((await control.control("POST", "/mcp-servers/desk/publish")).status).toBeLessThan(300);
  const keySpec = { api: { kind: "McpServer", name: "desk" }, environment: "production" };
  const { json } = await control.control("POST", "/api-keys", { metadata: { name: "first" }, spec: keySpec });
  return (json as { key: string }).key; // a call with it fails where there is none
}

async function call(gateway: GatehouseProcess, key: string, tool: string): Promise<RpcAnswer> {
  const answer = await fetch(`${gateway.gatewayUrl}/desk/mcp`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2025-11-25",
    },
    body: JSON.stringify(toolCall("legacy", 1, tool)),
  });
  return (await answer.json()) as RpcAnswer; // the tests look at what they use
}

async function waitingId(control: GatehouseProcess): Promise<string> {
  let id: string | undefined;
  await eventually("a call waits", async () => {
    const { json } = await control.control("GET", "/approvals");
    id = (json as { items: { id: string }[] }).items[0]?.id; // a page
    return id !== undefined;
  });
  return id ?? "";
}

const approve = async (control: GatehouseProcess, id: string): Promise<number> =>
  (await control.control("POST", `/approvals/${id}/decision`, { decision: "approve" })).status;

test("a call at one gateway is approved at the control plane, and of two equal ones at two gateways one goes up", async () => {
  const control = await startControl();
  const key = await putServer(control, 8_000);
  const [first, second] = [await startGateway("g1", control), await startGateway("g2", control)];
  const calls = Promise.all([call(first, key, "wipe"), call(second, key, "wipe")]);
  expect(await approve(control, await waitingId(control))).toBe(200);
  await eventually("one went up", () => upstream.seen.length === 1);
  const answers = await calls;
  expect(answers.filter(({ result }) => result !== undefined)).toHaveLength(1);
  expect(answers.flatMap(({ error }) => error?.data?.["code"] ?? [])).toEqual([expect.stringMatching(/^approval\./)]);
  expect(upstream.seen.length).toBe(1);
});

test("what waits outlives the process: after kill -9 it is approved, and the call goes up", async () => {
  const before = await startControl();
  const key = await putServer(before, 60_000);
  const lost = call(before, key, "wipe").catch(() => "lost");
  const id = await waitingId(before);
  await before.end("SIGKILL");
  expect(await lost).toBe("lost");
  const after = await startControl();
  expect(await approve(after, id)).toBe(200);
  expect((await call(after, key, "wipe")).result).toBeDefined();
  expect(await openApprovals(after)).toEqual([]);
});

async function openApprovals(control: GatehouseProcess): Promise<readonly unknown[]> {
  const { json } = await control.control("GET", "/approvals");
  return (json as { items: unknown[] }).items; // a page
}
