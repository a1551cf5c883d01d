import type { RouteTest, RouteTester } from "../../core/route-test.ts";
import type { Clock } from "../../kernel/clock.ts";
import { GatewayError } from "../../kernel/errors.ts";
import type { Breaker } from "../../pipeline/breaker.ts";
import { chooseTargets } from "../../pipeline/call-upstream.ts";
import type { Exchange } from "../../pipeline/exchange.ts";
import type { DataPlane } from "../data-plane.ts";
import { trialExchange } from "../trial-exchange.ts";
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
      const path = `/v1/${input.endpoint}`;
      const exchange = trialExchange(
        { api, snapshot: lease.snapshot, credentials: dataPlane.credentials, path, clock },
        input,
      );
      const decoded = await decodeChat(exchange, path, Buffer.from(JSON.stringify(input.request)));
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
