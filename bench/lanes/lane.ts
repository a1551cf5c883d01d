/** A way from the client to the mock upstream that is measured. */
export interface Lane {
  readonly id: string;
  readonly title: string;
  readonly protocol: "llm" | "mcp";
  /** Streams are measured too. */
  readonly streams: boolean;
  /** What a reader of the table must know. */
  readonly note?: string;
  /** Why the lane cannot run here; undefined when it can. */
  unavailable?(): string | undefined;
  /** Starts it in front of the upstream at `upstreamUrl`; processes belong to the lane alone. */
  start(upstreamUrl: string): Promise<RunningLane>;
}

/** A lane that answers. */
export interface RunningLane extends AsyncDisposable {
  /** Where the request goes: the whole URL. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The process whose memory, with that of its children, is the lane's; undefined for the way without a proxy. */
  readonly pid: number | undefined;
  /** Called once when the lane has been warmed up: all its processes are there. */
  settle?(): void;
}

/** Paths on the mock and on every lane that has no context of its own. */
export const chatPath = "/v1/chat/completions";
/** Anthropic's, which takes the same body: the gateway asks for no `max_tokens` where it translates. */
export const messagesPath = "/v1/messages";
export const mcpPath = "/mcp";
