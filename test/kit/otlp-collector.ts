import { createNetworkPolicy, developmentReach } from "../../src/kernel/network-policy.ts";
import { parseJson } from "../../src/kernel/parse-json.ts";
import { createSafeFetch } from "../../src/kernel/safe-fetch.ts";
import type { AnalyticsEvent } from "../../src/pipeline/event.ts";
import { memoryLog } from "./gatehouse.ts";
import { manualClock } from "./manual-clock.ts";
import type { MockUpstream, Respond } from "./mock-upstream.ts";
import { json, startMockUpstream } from "./mock-upstream.ts";

/** A span as a receiver reads it: attributes by name. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code: number };
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** An OTLP/HTTP receiver on a real socket. */
export interface OtlpCollector extends MockUpstream {
  /** What it was sent of one signal, body by body. */
  bodies(signal: "traces" | "metrics" | "logs"): readonly unknown[];
  /** All spans that it was sent, also those that it refused. */
  spans(): readonly ReceivedSpan[];
}

/** Starts one that takes everything, unless told otherwise. */
export async function startOtlpCollector(first: Respond = json(200, {})): Promise<OtlpCollector> {
  const server = await startMockUpstream(first);
  const bodies = (signal: string): readonly unknown[] =>
    server.seen.filter(({ url }) => url === `/v1/${signal}`).map(({ body }) => parseJson(body.toString()));
  return Object.assign(Object.create(server) as MockUpstream, {
    bodies,
    spans: () =>
      (bodies("traces") as TraceBody[]) // a receiver trusts the sender's types, and the test fails where they are wrong
        .flatMap(({ resourceSpans }) => resourceSpans)
        .flatMap(({ scopeSpans }) => scopeSpans)
        .flatMap(({ spans }) => spans.map((span) => ({ ...span, attributes: readAttributes(span.attributes) }))),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  });
}

/** A real way to a collector with a clock that the test drives. */
export function otlpWay(endpoint: string) {
  const fetch = createSafeFetch({ policy: createNetworkPolicy({ allowCidrs: [], operatorReach: developmentReach }) });
  const clock = countingClock();
  const log = memoryLog();
  const headers = { authorization: "Bearer t" };
  return { endpoint, headers, fetch, clock, log, source: { node: "n", version: "1.2.3" } };
}

/** A hand-driven clock that knows how many timers wait. */
function countingClock() {
  const clock = manualClock();
  let waiting = 0;
  return {
    ...clock,
    get waiting() {
      return waiting;
    },
    after(delayMs: number, call: () => void) {
      let isWaiting = true;
      const end = (): void => {
        if (isWaiting) waiting -= 1;
        isWaiting = false;
      };
      waiting += 1;
      const cancel = clock.after(delayMs, () => {
        end();
        call();
      });
      return () => {
        end();
        cancel();
      };
    },
  };
}

/** A place in a trace, for made-up rows. */
export function placeInTrace(over: Partial<NonNullable<AnalyticsEvent["trace"]>> = {}) {
  return { traceId: "a".repeat(32), spanId: "b".repeat(16), parentSpanId: undefined, isSampled: true, ...over };
}

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface TraceBody {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<ReceivedSpan, "attributes"> & { readonly attributes: readonly Attribute[] })[];
    }[];
  }[];
}

/** Values by name; numbers of 64 bits as numbers. */
export function readAttributes(attributes: readonly Attribute[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => {
      const [[type, held] = ["", undefined]] = Object.entries(value);
      return [key, type === "intValue" ? Number(held) : held];
    }),
  );
}
