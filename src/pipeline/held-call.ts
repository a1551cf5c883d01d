import type { Answer } from "./exchange.ts";

/** A call of a tool that a policy may hold back until a person approves it. */
export interface HeldCall {
  readonly tool: string;
  readonly given: Readonly<Record<string, unknown>>;
  /** SHA-256 over the arguments as they will go up, hex; members in any order, numbers to their last digit. */
  readonly argumentsHash: string;
  /** Names the caller, server and environment. */
  readonly caller: string;
  /** What the server has told of the tool; undefined where it was not heard yet. */
  readonly hints: ToolHints | undefined;
  /** What the client has come back with: what it was given for this very call, or something that is no good. */
  readonly ticket: { readonly type: "none" | "invalid" } | { readonly type: "valid"; readonly ticket: string };
  /** The answer by which the client is asked to come back; undefined where its protocol has none. */
  readonly comeBack: ((ticket: string, expiresAtMs: number) => Answer) | undefined;
  /** The call goes up: what the client came back with is taken out of it. */
  release(): void;
}

/** A server's hints about a tool (ToolAnnotations of MCP); what it does not say has the protocol's defaults. */
export interface ToolHints {
  readonly readOnlyHint?: boolean;
  readonly destructiveHint?: boolean;
  readonly idempotentHint?: boolean;
  readonly openWorldHint?: boolean;
}
