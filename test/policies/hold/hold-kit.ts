import type { ApprovalRow } from "../../../src/core/approval-tables.ts";
import { decideApproval } from "../../../src/core/approvals.ts";
import type { RpcAnswer } from "../../gateway/mcp/published-server.ts";
import { modernVersion, rpcOf } from "../../gateway/mcp/published-server.ts";
import { eventually } from "../../kit/eventually.ts";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { testActor } from "../../kit/gatehouse.ts";
import type { RawAnswer } from "../../kit/raw-http.ts";

/** All approvals of the installation, the newest first. */
export async function approvalsOf({ running }: TestGatehouse): Promise<readonly ApprovalRow[]> {
  return (await running.context.catalog.read.approvals.list({}, { limit: 200 })).rows;
}

/** The approval that waits for that tool, as soon as there is one. */
export async function waitingFor(gatehouse: TestGatehouse, tool: string): Promise<ApprovalRow> {
  let found: ApprovalRow | undefined;
  await eventually(`a call of ${tool} waits`, async () => {
    found = (await approvalsOf(gatehouse)).find((row) => row.tool === tool && row.state === "pending");
    return found !== undefined;
  });
  return found as ApprovalRow; // just seen
}

/** Somebody says so. */
export async function decide(
  { running }: TestGatehouse,
  id: string,
  decision: "approve" | "deny",
  reason?: string,
): Promise<void> {
  await decideApproval(running.context, testActor, id, { decision, reason });
}

/** A modern `tools/call` that may come back with a state. */
export function comingBack(id: number, name: string, args: object, requestState?: unknown): object {
  const meta = {
    "io.modelcontextprotocol/protocolVersion": modernVersion,
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const params = { name, arguments: args, ...(requestState !== undefined && { requestState }), _meta: meta };
  return { jsonrpc: "2.0", id, method: "tools/call", params };
}

/** The state of an answer that asks the client to come back; undefined for every other answer. */
export function stateOf(answer: RawAnswer): unknown {
  const { result }: RpcAnswer = rpcOf(answer);
  return result?.["resultType"] === "input_required" ? result["requestState"] : undefined;
}
