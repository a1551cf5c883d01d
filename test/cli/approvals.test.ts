import { afterAll, beforeAll, expect, test } from "vitest";
import { answering, publishServer, rpcOf, toolCall } from "../gateway/mcp/published-server.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { startMockUpstream } from "../kit/mock-upstream.ts";
import { waitingFor } from "../policies/hold/hold-kit.ts";
import type { CommandResult } from "./test-shell.ts";
import { command } from "./test-shell.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;

beforeAll(async () => {
  upstream = await startMockUpstream(answering("done"));
  gatehouse = await startTestGatehouse();
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const approvals = (...args: string[]): Promise<CommandResult> =>
  command(["approvals", ...args, "--data", gatehouse.dataDir], { cwd: gatehouse.dataDir });

test("calls that wait are listed, approved and refused, each once", async () => {
  const policies = [{ use: "hold", with: { waitMs: 0, show: "values" } }];
  const server = await publishServer(gatehouse, "desk", `${upstream.url}/mcp`, { policies });
  const refund = toolCall("legacy", 1, "refund", { amount: 5, note: "\u001b[31m" });
  await server.post(refund);
  await server.post(toolCall("legacy", 2, "close"));
  const first = await waitingFor(gatehouse, "refund");
  const second = await waitingFor(gatehouse, "close");
  const { out } = await approvals("list", "--server", "desk");
  expect(out).toHaveLength(3);
  expect(out[2]).toMatch(new RegExp(`^${first.id} +desk +production +refund +pending +key_`));
  expect(out[2]).not.toContain("\u001b");
  expect((await approvals("approve", first.id)).out).toEqual([`approved Approval ${first.id}: refund of desk`]);
  expect((await approvals("deny", second.id, "--reason", "no")).out).toEqual([
    `denied Approval ${second.id}: close of desk`,
  ]);
  expect(rpcOf(await server.post(refund)).result).toBeDefined();
  expect((await approvals("list")).out).toHaveLength(1);
  expect((await approvals("list", "--all")).out).toHaveLength(3);
  expect(await approvals("deny", first.id)).toMatchObject({
    code: 1,
    notes: expect.stringContaining("waits no more: it is used") as unknown,
  });
  expect(await approvals("approve", "apv_none")).toMatchObject({ code: 1 });
});
