import type { Environment } from "../core/environment.ts";
import type { GovernanceSink } from "../core/governance-event.ts";
import type { Usage } from "./exchange.ts";
import type { TargetPeer } from "./target-peer.ts";
import type { SpanPlace, Tracing } from "./trace-context.ts";

/** What one policy or guardrail decided; in `monitor` mode, what it would have done. */
export interface PolicyDecision {
  /** The plug-in's id. */
  readonly policy: string;
  /** Where it is attached: `llm_…/policies[0]`. */
  readonly place: string;
  readonly step: string;
  readonly action: "deny" | "rewrite" | "annotate" | "respond" | "error";
  readonly mode: "enforce" | "monitor";
  readonly code?: string;
  readonly detail?: string;
  /** What it measured, by names of its own; never a piece of a text. */
  readonly assessment?: Readonly<Record<string, unknown>>;
}

/** One try at one upstream target, while it is going on. */
export interface AttemptRecord {
  readonly operationId: string;
  readonly target: string;
  readonly provider: string;
  readonly peer?: TargetPeer | undefined;
  readonly model: string | undefined;
  readonly startedAtMs: number;
  status: number | undefined;
  errorCode: string | undefined;
  firstByteMs: number | undefined;
  durationMs: number | undefined;
  /** What it has told of usage, when another try has followed; that of the last try is its operation's. */
  usage?: Usage | undefined;
}

/** What something costs, by columns. */
export interface CostColumns {
  /** In units of the currency, exactly, with up to nine decimals: `0.000125`. Null where it is not known. */
  readonly cost: string | null;
  readonly cost_currency: string | null;
  /** `unknown`: something was used whose price, or amount, is not known. Null where there was nothing to pay for. */
  readonly cost_source: "actual" | "estimated" | "unknown" | null;
}

/** What a column of a protocol may hold. */
export type EventValue = string | number | boolean | null | readonly string[];

/** One row per client-visible operation. Never a body, an argument's value, a key or a token. */
export interface ExchangeEvent extends CostColumns {
  readonly type: "exchange";
  readonly ts: number;
  readonly exchange_id: string;
  readonly operation_id: string;
  readonly parent_id: string | null;
  readonly trace_id: string | null;
  readonly node: string;
  readonly config_hash: string;
  readonly team_id: string;
  readonly api_id: string;
  readonly api_name: string;
  readonly api_kind: string;
  readonly api_revision: number;
  readonly environment: Environment | null;
  readonly auth_method: string | null;
  readonly key_id: string | null;
  readonly application_id: string | null;
  readonly plan_id: string | null;
  readonly client_ip: string;
  readonly protocol: string;
  readonly http_method: string;
  readonly http_status: number;
  readonly operation_kind: string;
  readonly operation_name: string;
  readonly stream: boolean;
  readonly outcome: "ok" | "denied" | "failed" | "upstream_error" | "cancelled";
  readonly error_code: string | null;
  readonly error_detail: string | null;
  readonly denied_by: string | null;
  readonly decisions: readonly PolicyDecision[];
  readonly request_bytes: number;
  readonly response_bytes: number;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly cached_input_tokens: number | null;
  readonly reasoning_tokens: number | null;
  readonly usage_source: "actual" | "estimated" | null;
  readonly attempts: number;
  readonly client_retry_count: number | null;
  readonly duration_ms: number;
  readonly upstream_ms: number | null;
  readonly first_byte_ms: number | null;
  /** What only this protocol has, by column. */
  readonly fields: Readonly<Record<string, EventValue>>;
  /** Names under which the use is counted, from the key, claims and allowed headers. */
  readonly labels: Readonly<Record<string, string>>;
  /** Its span, where traces are made; no table has it. */
  readonly trace?: SpanPlace | undefined;
  /** That of its last try; no table has it. */
  readonly peer?: TargetPeer | undefined;
}

/** One row per try at an upstream. */
export interface AttemptEvent extends CostColumns {
  readonly type: "attempt";
  readonly ts: number;
  readonly exchange_id: string;
  readonly operation_id: string;
  readonly attempt: number;
  readonly config_hash: string;
  readonly api_id: string;
  readonly target: string;
  readonly provider: string;
  readonly model: string | null;
  readonly status: number | null;
  readonly error_code: string | null;
  readonly first_byte_ms: number | null;
  readonly duration_ms: number | null;
  readonly team_id: string;
  readonly api_name: string;
  readonly environment: Environment | null;
  readonly key_id: string | null;
  readonly application_id: string | null;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly cached_input_tokens: number | null;
  readonly reasoning_tokens: number | null;
  readonly cache_write_tokens: number | null;
  readonly cache_write_hour_tokens: number | null;
  readonly audio_input_tokens: number | null;
  readonly audio_output_tokens: number | null;
  readonly usage_source: "actual" | "estimated" | null;
  /** How the provider says that it has served the call: `flex`, `priority`, … */
  readonly service_tier: string | null;
  /** The day on which the built-in price was looked up; null of the operator's own prices. */
  readonly price_as_of: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** As of its operation. */
  readonly trace?: SpanPlace | undefined;
  /** Where it went; no table has it. */
  readonly peer?: TargetPeer | undefined;
}

/** Texts of one operation, of an API that asks for it: without personal data and secrets, as far as those are known. */
export interface CaptureEvent {
  readonly type: "capture";
  readonly ts: number;
  readonly exchange_id: string;
  readonly operation_id: string;
  readonly team_id: string;
  readonly api_id: string;
  readonly api_name: string;
  readonly environment: Environment | null;
  readonly application_id: string | null;
  /** Days after which it goes. */
  readonly kept_days: number;
  /** JSON: a list of `{place, author, text}`. */
  readonly request: string;
  readonly response: string;
  /** Whether there was more text than is kept. */
  readonly is_cut: boolean;
  /** Pieces that were taken out. */
  readonly redactions: number;
}

/** Takes captured texts. */
export interface CaptureSink {
  /** Returns at once and never throws; what does not fit is counted among the dropped. */
  record(event: CaptureEvent): void;
  /** Texts that nobody could redact, or that were too many at once: nothing of them is kept, and they are counted too. */
  lost(): void;
}

export type AnalyticsEvent = ExchangeEvent | AttemptEvent;

/** Takes events off the request's path. `record` returns at once and never throws; what does not fit is counted. */
export interface EventSink {
  /** False when nobody wants events: then none need be made. */
  readonly isOpen: boolean;
  /** How events become spans; nothing is traced when absent. */
  readonly tracing?: Tracing | undefined;
  record(event: AnalyticsEvent): void;
  /** Where captured texts go; none are captured when absent. */
  readonly captures?: CaptureSink | undefined;
  /** Where acts of governance go; none are kept when absent. */
  readonly governance?: GovernanceSink | undefined;
  /** Events that were dropped since the start, because the bounded spool was full or could not be written. */
  readonly dropped: number;
}
