import type { ApiId } from "../kernel/ids.ts";
import type { Environment } from "./environment.ts";

/** How one target of an API's upstream has been doing, as one gateway has seen it. Plain JSON; no address, no secret. */
export interface UpstreamHealth {
  readonly apiId: ApiId;
  readonly apiKind: string;
  readonly apiName: string;
  readonly environment: Environment;
  readonly target: string;
  /** `open` is left alone; `half-open` is tried by one request at a time. */
  readonly state: "closed" | "open" | "half-open";
  /** Failures in a row while closed. */
  readonly failures: number;
  /** When the state began, milliseconds since the epoch; null when it has been so from the start. */
  readonly sinceMs: number | null;
  /** From when on an open one may be tried again; null when it is not open. */
  readonly retryAtMs: number | null;
  readonly lastSuccessMs: number | null;
  /** `code` is an error code, or a status of the upstream's: `status 503`. */
  readonly lastFailure: { readonly atMs: number; readonly code: string } | null;
  /** What the last active probe found; null where none has run. */
  readonly lastProbe: { readonly atMs: number; readonly failure: string | null } | null;
}

/** An upstream's health with the gateway that saw it. */
export interface SeenUpstream extends UpstreamHealth {
  readonly node: string;
  /** When the gateway reported it. */
  readonly reportedAtMs: number;
}

/** What gateways have last said of their upstreams. In memory: it is about now. */
export interface UpstreamBoard {
  /** Puts the list in place of what the gateway has said before. */
  take(node: string, upstreams: readonly UpstreamHealth[], atMs: number): void;
  /** All of them; an open one whose rest is over at `nowMs` is half-open, whether its gateway has said so yet or not. */
  list(nowMs: number): readonly SeenUpstream[];
}

const maxNodes = 1_000;

/** Empty until a gateway reports. Of more than 1,000 gateways those that reported last are kept. */
export function createUpstreamBoard(): UpstreamBoard {
  const byNode = new Map<string, { readonly atMs: number; readonly upstreams: readonly UpstreamHealth[] }>();
  return {
    take(node, upstreams, atMs) {
      byNode.delete(node);
      byNode.set(node, { atMs, upstreams });
      const oldest = byNode.keys().next();
      if (byNode.size > maxNodes && oldest.done !== true) byNode.delete(oldest.value);
    },
    list: (nowMs) =>
      [...byNode].flatMap(([node, { atMs, upstreams }]) =>
        upstreams.map((upstream) => ({ ...rested(upstream, nowMs), node, reportedAtMs: atMs })),
      ),
  };
}

function rested(upstream: UpstreamHealth, nowMs: number): UpstreamHealth {
  const isOver = upstream.state === "open" && upstream.retryAtMs !== null && upstream.retryAtMs <= nowMs;
  return isOver ? { ...upstream, state: "half-open" } : upstream;
}
