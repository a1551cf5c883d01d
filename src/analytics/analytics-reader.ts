import { z } from "zod";
import type { ErrorCount, ExchangeRow, Latency, ModelUse, ToolUse, Traffic } from "./answers.ts";
import type { CostReader } from "./cost-answers.ts";
import type { Granularity, Question } from "./questions/define-question.ts";

/** What a question is about. */
export interface Selection {
  /** Milliseconds since the epoch; `toMs` itself is not in it. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Name or id of an API; all when absent. */
  readonly api?: string | undefined;
  readonly environment?: string | undefined;
  /** Only rows of APIs that belonged to one of these teams, by their ids; of all when absent, and none when empty. */
  readonly teamIds?: readonly string[] | undefined;
  /** The id of an application. */
  readonly application?: string | undefined;
  /** The id of an API key. */
  readonly key?: string | undefined;
  /** The name of an LLM API's model, as clients ask for it. */
  readonly model?: string | undefined;
  /** The name of an MCP tool. Not of tries at upstreams, as what follows. */
  readonly tool?: string | undefined;
  /** The name of a client program, as it says it. */
  readonly client?: string | undefined;
  /** The hash of an MCP session's id. */
  readonly session?: string | undefined;
}

/** How a question is asked, beside its selection. */
export interface QuestionRequest {
  /** Of the question's own schema. */
  readonly params: Readonly<Record<string, unknown>>;
  readonly granularity: Granularity;
  /** 1 to 10,000. */
  readonly limit: number;
  /** `next` of the page before. An unreadable one throws `request.invalid`. */
  readonly cursor?: string | undefined;
}

/** Rows of a question, in its own order. `next` continues it; undefined at the end. */
export interface QuestionPage {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly next: string | undefined;
  /** The range that was asked about: of a page that continues another, the one of the first. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** What rows can be had in beside JSON; `ndjson` is one object a line. */
export const exportFormats = ["csv", "ndjson", "parquet"] as const;

export type ExportFormat = (typeof exportFormats)[number];

/** A page of rows, newest first. `next` continues it; undefined at the end. */
export interface ExchangePage {
  readonly rows: readonly ExchangeRow[];
  readonly next: string | undefined;
}

export interface ExchangePageRequest {
  /** 1 to 200. */
  readonly limit: number;
  /** `next` of the page before. An unreadable one throws `request.invalid`. */
  readonly cursor?: string | undefined;
  readonly outcome?: string | undefined;
}

/**
 * What can be asked of the recorded rows. Each call has a time limit. Throws `analytics.not_available` where this
 * installation has no store, and `store.unavailable` when the store does not answer, or not in time.
 */
export interface AnalyticsReader extends CostReader {
  exchanges(selection: Selection, page: ExchangePageRequest): Promise<ExchangePage>;
  /** @param stepSeconds length of a step; steps without traffic are left out */
  traffic(selection: Selection, stepSeconds: number): Promise<readonly Traffic[]>;
  errors(selection: Selection, limit: number): Promise<readonly ErrorCount[]>;
  latency(selection: Selection, limit: number): Promise<readonly Latency[]>;
  topModels(selection: Selection, limit: number): Promise<readonly ModelUse[]>;
  topTools(selection: Selection, limit: number): Promise<readonly ToolUse[]>;
  /** The rows of a question that is defined in a file of its own. */
  ask(question: Question, selection: Selection, request: QuestionRequest): Promise<QuestionPage>;
  /** The same rows in another format. */
  askAs(
    format: ExportFormat,
    question: Question,
    selection: Selection,
    request: QuestionRequest,
  ): Promise<Uint8Array<ArrayBuffer>>;
}

/** How the way from recorded events to answers is doing. */
export interface AnalyticsStatusReader {
  status(): AnalyticsStatus;
}

/** What is known of the analytics store without asking it. */
export const analyticsStatusSchema = z.strictObject({
  mode: z.enum(["embedded", "server", "off"]),
  state: z
    .enum(["idle", "starting", "running", "waiting", "unavailable", "off"])
    .meta({ description: "`idle`: nobody has needed it yet. `waiting`: it ended, and is started again soon." }),
  reason: z.string().nullable().meta({ description: "Why it is unavailable, or what went wrong last." }),
  version: z.string().nullable().meta({ description: "Of the embedded engine." }),
  pid: z.int().nullable(),
  rssBytes: z.int().nullable().meta({ description: "Memory of the embedded engine's process." }),
  restarts: z.int().meta({ description: "How often the embedded engine ended by itself, since the start." }),
  backlogBytes: z.int().meta({ description: "Recorded events that are not in the store yet." }),
  spooled: z.int().meta({ description: "Events written to the spool, since the start." }),
  written: z.int().meta({ description: "Events that the store has taken from there, since the start." }),
  dropped: z.int().meta({ description: "Events lost because the spool was full, since the start." }),
  rejected: z.int().meta({ description: "Events that the store could not read, since the start." }),
});

export type AnalyticsStatus = z.output<typeof analyticsStatusSchema>;
