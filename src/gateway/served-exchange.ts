import type { IncomingMessage } from "node:http";
import { Cancellation } from "../kernel/cancellation.ts";
import type { CidrSet } from "../kernel/cidr-set.ts";
import { clientAddress } from "../kernel/client-address.ts";
import type { Clock } from "../kernel/clock.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { ExchangeId } from "../kernel/ids.ts";
import type { Exchange } from "../pipeline/exchange.ts";
import { noLabels } from "../pipeline/exchange-labels.ts";
import type { CompiledApi, Snapshot } from "../pipeline/snapshot.ts";
import type { DataPlane } from "./data-plane.ts";

/** What an exchange is made with, beside its request. */
export interface ServedExchangeTools {
  readonly clock: Clock;
  readonly dataPlane: Pick<DataPlane, "credentials">;
  readonly trustedProxies: CidrSet;
}

/**
 * One HTTP request to an API. A class, so that every exchange has the same shape and none needs functions of its own. Its
 * deadline runs until `keepOpen` is called.
 */
export class ServedExchange implements Exchange {
  readonly id: ExchangeId;
  readonly startedAtMs: number;
  readonly startedMonotonicMs: number;
  readonly cancellation = new Cancellation();
  readonly keepOpen: () => void;
  recordAside: Exchange["recordAside"] = () => undefined; // the runner's, as soon as it has the exchange
  tracing: Exchange["tracing"]; // the runner's too
  readonly inbound: Exchange["inbound"];
  readonly snapshot: Snapshot;
  readonly credentials: Exchange["credentials"];
  readonly api: CompiledApi;
  principal: Exchange["principal"];
  labels: Exchange["labels"] = noLabels;
  readonly operations: Exchange["operations"] = [];
  readonly attempts: Exchange["attempts"] = [];
  readonly decisions: Exchange["decisions"] = [];
  limitLeft: Exchange["limitLeft"];
  route: Exchange["route"];
  readonly responseHeaders: Exchange["responseHeaders"] = {};
  requestBytes = 0;
  responseBytes = 0;
  firstByteMs: number | undefined;

  constructor(
    id: ExchangeId,
    api: CompiledApi,
    snapshot: Snapshot,
    path: string,
    incoming: IncomingMessage,
    { clock, dataPlane, trustedProxies }: ServedExchangeTools,
  ) {
    this.id = id;
    this.api = api;
    this.snapshot = snapshot;
    this.credentials = dataPlane.credentials;
    this.startedAtMs = clock.now();
    this.startedMonotonicMs = clock.monotonic();
    this.keepOpen = clock.after(api.limits.deadlineMs, () =>
      this.cancellation.cancel(new GatewayError("exchange.deadline", "The exchange took longer than this API allows.")),
    );
    const { url = "", headers } = incoming;
    const queryAt = url.indexOf("?");
    this.inbound = {
      method: incoming.method ?? "GET",
      path,
      query: queryAt < 0 ? "" : url.slice(queryAt + 1),
      headers,
      clientIp: clientAddress(incoming.socket.remoteAddress, headers, trustedProxies),
      protocol: incoming.httpVersionMajor === 2 ? "HTTP/2" : "HTTP/1.1",
    };
  }

  get signal(): AbortSignal {
    return this.cancellation.signal;
  }
}
