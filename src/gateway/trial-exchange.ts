import type { RouteTestInput } from "../core/route-test.ts";
import { Cancellation } from "../kernel/cancellation.ts";
import type { Clock } from "../kernel/clock.ts";
import type { ExchangeId } from "../kernel/ids.ts";
import { uuidV7 } from "../kernel/ids.ts";
import type { Exchange, Principal } from "../pipeline/exchange.ts";
import { noLabels } from "../pipeline/exchange-labels.ts";
import type { CompiledApi, Snapshot } from "../pipeline/snapshot.ts";

/** Of which API, and where below its context. */
export interface TrialPlace {
  readonly api: CompiledApi;
  readonly snapshot: Snapshot;
  readonly credentials: Exchange["credentials"];
  readonly path: string;
  readonly clock: Clock;
}

/** An exchange that is tried and never sent: it leaves no row, and nobody else sees it. */
export function trialExchange(
  { api, snapshot, credentials, path, clock }: TrialPlace,
  input: Pick<RouteTestInput, "environment" | "headers" | "query" | "claims">,
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
      path: `${api.context}${path}`,
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
