import type { RouteTestInput } from "../core/route-test.ts";
import type { McpToolFilterInput, ToolFilterTest, ToolFilterTester } from "../core/tool-filter-test.ts";
import { Cancellation } from "../kernel/cancellation.ts";
import type { Clock } from "../kernel/clock.ts";
import { GatewayError } from "../kernel/errors.ts";
import { inTime } from "../kernel/in-time.ts";
import type { Exchange, Operation } from "../pipeline/exchange.ts";
import type { CompiledApi } from "../pipeline/snapshot.ts";
import type { DataPlane } from "./data-plane.ts";
import { decodeChat } from "./llm/decode-llm.ts";
import { behindOf } from "./mcp/compile-mcp.ts";
import { noTarget, operationOf } from "./mcp/decode-message.ts";
import type { McpRequest } from "./mcp/mcp-request.ts";
import { nothingSeen } from "./mcp/mcp-request.ts";
import { offerOf, taskMember } from "./mcp/narrow-list.ts";
import { offeredLists, ownContext, readList } from "./mcp/read-lists.ts";
import { trialExchange } from "./trial-exchange.ts";

export interface ToolFilterTestParts {
  readonly dataPlane: Pick<DataPlane, "acquire" | "credentials">;
  readonly clock: Clock;
}

const longestMs = 30_000;

/** A tester over what this gateway serves now. */
export function createToolFilterTester(parts: ToolFilterTestParts): ToolFilterTester {
  return {
    request: (apiId, input) =>
      tried(parts, apiId, `/v1/${input.endpoint}`, input, async (exchange) => {
        const body = Buffer.from(JSON.stringify(input.request));
        const decoded = await decodeChat(exchange, `/v1/${input.endpoint}`, body);
        if ("type" in decoded) throw new GatewayError("request.invalid", decoded.message);
        const [operation] = decoded;
        if (operation === undefined) throw new GatewayError("request.invalid", "The request asks for nothing.");
        await runFilters(exchange, operation);
      }),
    list: (apiId, input) => {
      const caller = { environment: input.environment, headers: {}, query: "", claims: {} };
      return tried(parts, apiId, "/mcp", caller, async (exchange) => {
        const tools = input.tools ?? (await toolsOf(exchange.api, input, parts.clock));
        const own = listRequest(input.task);
        await runFilters(exchange, operationOf(exchange, "tools/list", "", Buffer.alloc(0), own));
        const { offered, listing } = offerOf(tools);
        await own.narrow?.(offered, listing);
      });
    },
  };
}

async function tried(
  { dataPlane, clock }: ToolFilterTestParts,
  apiId: string,
  path: string,
  caller: Pick<RouteTestInput, "environment" | "headers" | "query" | "claims">,
  run: (exchange: Exchange) => Promise<void>,
): Promise<ToolFilterTest> {
  const lease = dataPlane.acquire();
  try {
    const api = lease?.snapshot.apis.find(({ id }) => id === apiId);
    if (lease === undefined || api === undefined) {
      throw new GatewayError("resource.conflict", "The API is not deployed; publish it first.");
    }
    const { snapshot } = lease;
    const exchange = trialExchange({ api, snapshot, credentials: dataPlane.credentials, path, clock }, caller);
    if (filtersOf(exchange).length === 0) {
      throw new GatewayError("resource.conflict", "The API has no policy `semantic-tool-filter`; publish one first.");
    }
    await run(exchange);
    return told(exchange, snapshot.configHash);
  } finally {
    lease?.release();
  }
}

function filtersOf({ api }: Exchange): CompiledApi["chain"]["request"] {
  return api.chain.request.filter(({ use }) => use === "semantic-tool-filter");
}

/** One after the other, as they would run; a failure is told by the decision. */
async function runFilters(exchange: Exchange, operation: Operation): Promise<void> {
  exchange.operations.push(operation);
  for (const attachment of filtersOf(exchange)) {
    if (!attachment.applies(exchange, operation)) continue;
    try {
      await attachment.policy?.request?.(exchange, operation);
    } catch (error) {
      if (exchange.tools === undefined) throw error;
    }
  }
}

function told({ tools }: Exchange, configHash: string): ToolFilterTest {
  if (tools === undefined) throw new GatewayError("request.invalid", "The filter has found no tools here.");
  const { selection, reason, total, kept, keptNames, withoutText, tokensBefore, tokensAfter, scores, tookMs } = tools;
  const figures = { total, kept: [...keptNames], keptCount: kept, withoutText, tokensBefore, tokensAfter };
  return { selection, reason, ...figures, scores: [...scores], tookMs, configHash };
}

async function toolsOf(
  api: CompiledApi,
  { environment }: McpToolFilterInput,
  clock: Clock,
): Promise<readonly unknown[]> {
  const [target] = api.protocol.upstreams[environment].targets;
  if (target === undefined) throw new GatewayError("resource.conflict", "The server has nothing behind it.");
  const { backend, plain = backend } = behindOf(target);
  const cancellation = new Cancellation();
  const context = ownContext("tool-filter-test", cancellation);
  try {
    const reading = plain.facts(context).then((facts) => readList(plain, facts, context, offeredLists[0]));
    const { entries, fault } = await inTime(reading, longestMs, clock);
    if (fault !== undefined) throw new GatewayError("upstream.unavailable", fault);
    return entries;
  } finally {
    cancellation.cancel(new GatewayError("client.closed", "The test is over."));
  }
}

/** `tools/list` for a task, as a client would send it. */
function listRequest(task: string): McpRequest {
  return {
    type: "message",
    message: { type: "request", id: 1, method: "tools/list", params: { _meta: { [taskMember]: task } } },
    era: "modern",
    protocolVersion: undefined,
    session: undefined,
    target: noTarget,
    mirrored: new Map(),
    seen: nothingSeen(),
  };
}
