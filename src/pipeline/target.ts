import type { Exchange, Operation } from "./exchange.ts";
import type { PriceOf } from "./price-table.ts";
import type { GateName } from "./route-decision.ts";
import type { TargetPeer } from "./target-peer.ts";

/** One place that can serve an operation. */
export interface CompiledTarget {
  /** Unique within its upstream block and stable over republishing: `openai` or `openai/gpt-4o-mini`. */
  readonly id: string;
  /** The provider resource's name; for a protocol without providers, the upstream's own. */
  readonly providerName: string;
  /** Where and how to call, as the API's adapter compiled it; nobody else reads it. */
  readonly endpoint: unknown;
  /** Absent where it is no single place, as behind a virtual server. */
  readonly peer?: TargetPeer | undefined;
  readonly weight: number;
  /** The model to ask for in place of the client's; undefined leaves it. */
  readonly model: string | undefined;
  /** What models cost here, by the name that the provider knows; absent where tokens cost nothing. */
  readonly priceOf?: PriceOf;
  /** Whether the target serves the model that the client asked for. */
  serves(model: string): boolean;
  /** Why the target cannot, or may not, serve this operation; undefined when it can. Any can when absent. */
  closedBy?(exchange: Exchange, operation: Operation): GateName | undefined;
}
