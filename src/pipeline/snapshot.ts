import type { OauthSpec } from "../core/api-spec.ts";
import type { BlockSpec } from "../core/guardrail-options.ts";
import type { KeylessReach } from "../core/keyless-reach.ts";
import type { LabelSources } from "../core/limit-labels.ts";
import type { ApiId, Id } from "../kernel/ids.ts";
import type { CompiledProtocol, ProtocolAdapter } from "./adapter.ts";
import type { CompiledCapture } from "./compile-capture.ts";
import type { CompiledGuardrail } from "./define-guardrail.ts";
import type { PolicyHandlers } from "./define-policy.ts";
import type { Exchange, Operation } from "./exchange.ts";
import type { Deny } from "./outcome.ts";
import type { OnError } from "./plugin.ts";
import type { SpanSelection } from "./select-spans.ts";

/** One entry of a `spec.policies` list, compiled. */
export interface Attachment {
  /** The plug-in's id. */
  readonly use: string;
  /** `llm_…/policies[0]`: the same over restarts and republishing. */
  readonly place: string;
  readonly mode: "enforce" | "monitor";
  readonly onError: OnError;
  /** The `on` globs and the `when` condition in one; a condition that fails to evaluate applies the policy. */
  applies(exchange: Exchange, operation: Operation): boolean;
  readonly policy: PolicyHandlers | undefined;
  readonly guardrail: CompiledGuardrail | undefined;
  /** Of a guardrail: the texts that it sees; all when absent. */
  readonly selection?: SpanSelection | undefined;
  /** Of a guardrail: how its refusal is told, where that is not the usual way. */
  readonly block?: BlockSpec | undefined;
}

/** The attachments of one API in the order gateway → API → operation, sorted out by step so that a step reads its own. */
export interface CompiledChain {
  readonly identify: readonly Attachment[];
  readonly admit: readonly Attachment[];
  /** Those that limit what is used; see `run-limits.ts`. */
  readonly charges: readonly Attachment[];
  readonly request: readonly Attachment[];
  /** Those that remember answers. */
  readonly recall: readonly Attachment[];
  readonly response: readonly Attachment[];
  readonly record: readonly Attachment[];
}

/** An API as the data plane serves it. */
export interface CompiledApi {
  readonly id: ApiId;
  readonly name: string;
  readonly kind: string;
  readonly teamId: Id<"team">;
  readonly revision: number;
  readonly context: string;
  /** Who is answered without a key. More than `nobody` is said explicitly in the API, never the result of an empty chain. */
  readonly keyless: KeylessReach;
  /** What the API asks of access tokens; undefined when it accepts none. */
  readonly oauth?: OauthSpec | undefined;
  readonly subscriptionRequired: boolean;
  /** The answer to every caller while governance keeps the API from answering. */
  readonly suspended?: Deny | undefined;
  readonly chain: CompiledChain;
  readonly adapter: ProtocolAdapter;
  readonly protocol: CompiledProtocol;
  readonly limits: CompiledLimits;
  /** What of its texts is kept; nothing when absent. */
  readonly capture?: CompiledCapture | undefined;
}

export interface CompiledLimits {
  /** Bytes of a request's body, as read. */
  readonly requestBytes: number;
  /** Bytes of an answer that is not a stream, and of one event of a stream. */
  readonly responseBytes: number;
  readonly jsonDepth: number;
  /** The whole exchange, streams included. */
  readonly deadlineMs: number;
}

/** All that the data plane serves at one moment. Immutable; a running request keeps the one it started with. */
export interface Snapshot {
  readonly configHash: string;
  readonly apis: readonly CompiledApi[];
  /** Chains of plans, run after the API's own. */
  readonly plans: ReadonlyMap<string, CompiledChain>;
  /** Limits of applications and teams, by id, run before the plan's. Only those that have any. */
  readonly holders?: ReadonlyMap<string, CompiledChain>;
  /** What of claims and headers becomes a label; nothing when absent. */
  readonly labels?: LabelSources | undefined;
  /** Catalogue entries that are deployed but have no adapter in this build. */
  readonly notServed: readonly { readonly kind: string; readonly name: string; readonly context: string }[];
  /**
   * Stops at once what runs without any request, such as probes; call it when another snapshot serves, though requests
   * of this one still run. Further calls do nothing.
   */
  retire(): void;
  /** Disposes all plug-ins; call it when the last request of the snapshot has ended. Retires first. */
  dispose(): Promise<void>;
}
