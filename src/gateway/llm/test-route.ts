import type { RouteTest, RouteTester, RouteTestInput } from "../../core/route-test.ts";
import { Cancellation } from "../../kernel/cancellation.ts";
import type { Clock } from "../../kernel/clock.ts";
import { GatewayError } from "../../kernel/errors.ts";
import type { ExchangeId } from "../../kernel/ids.ts";
import { uuidV7 } from "../../kernel/ids.ts";
import type { Breaker } from "../../pipeline/breaker.ts";
import { chooseTargets } from "../../pipeline/call-upstream.ts";
import type { Exchange, Principal } from "../../pipeline/exchange.ts";
import { noLabels } from "../../pipeline/exchange-labels.ts";
import type { CompiledApi, Snapshot } from "../../pipeline/snapshot.ts";
import type { DataPlane } from "../data-plane.ts";
import { decodeChat } from "./decode-llm.ts";

export interface RouteTestParts {
  readonly dataPlane: Pick<DataPlane, "acquire" | "credentials">;
  readonly breaker: Breaker;
  readonly clock: Clock;
}

/** A route tester over what this gateway serves now. */
export function createRouteTester({ dataPlane, breaker, clock }: RouteTestParts): RouteTester {
  return async (apiId, input) => {
    const lease = dataPlane.acquire();
    try {
      const api = lease?.snapshot.apis.find(({ id }) => id === apiId);
      if (lease === undefined || api === undefined) {
        throw new GatewayError("resource.conflict", "The API is not deployed; publish it first.");
      }
      const exchange = exchangeFor(api, lease.snapshot, dataPlane.credentials, input, clock);
      const decoded = await decodeChat(exchange, `/v1/${input.endpoint}`, Buffer.from(JSON.stringify(input.request)));
      if ("type" in decoded) throw new GatewayError("request.invalid", decoded.message);
      const [operation] = decoded;
      if (operation === undefined) throw new GatewayError("request.invalid", "The request asks for nothing.");
      exchange.operations.push(operation);
      const choice = await chooseTargets(exchange, operation, { breaker });
      return told(exchange, lease.snapshot.configHash, choice);
    } finally {
      lease?.release();
    }
  };
}

function told({ route }: Exchange, configHash: string, choice: Awaited<ReturnType<typeof chooseTargets>>): RouteTest {
  const isRefused = "type" in choice;
  const refusal =
    isRefused && choice.type === "denied" ? { code: choice.deny.code, message: choice.deny.message } : null;
  return {
    targets: isRefused ? [] : choice.order.map(({ id }) => id),
    refusal,
    strategy: route === undefined || route.strategy === "" ? null : route.strategy,
    route: route?.route ?? null,
    reason: route?.reason ?? null,
    scores: [...(route?.scores ?? [])],
    gates: [...(route?.gates ?? [])],
    tookMs: route?.tookMs ?? null,
    configHash,
  };
}

function exchangeFor(
  api: CompiledApi,
  snapshot: Snapshot,
  credentials: Exchange["credentials"],
  input: RouteTestInput,
  clock: Clock,
): Exchange {
  const cancellation = new Cancellation();
  const headers = Object.fromEntries(Object.entries(input.headers).map(([name, value]) => [name.toLowerCase(), value]));
  const principal: Principal = {
    type: "token",
    environment: input.environment,
    keyId: undefined,
    applicationId: undefined,
    planId: undefined,
    mayCall: undefined,
    claims: input.claims,
  };
  return {
    id: uuidV7(clock.now()) as ExchangeId, // it leaves no row, and nobody else sees it
    startedAtMs: clock.now(),
    startedMonotonicMs: clock.monotonic(),
    cancellation,
    get signal() {
      return cancellation.signal;
    },
    inbound: {
      method: "POST",
      path: `${api.context}/v1/${input.endpoint}`,
      query: input.query,
      headers,
      clientIp: "127.0.0.1",
      protocol: "HTTP/1.1",
    },
    snapshot,
    credentials,
    api,
    principal,
    labels: noLabels,
    operations: [],
    attempts: [],
    decisions: [],
    route: undefined,
    responseHeaders: {},
    keepOpen: () => undefined,
    recordAside: () => undefined,
    requestBytes: 0,
    responseBytes: 0,
    firstByteMs: undefined,
  };
}
