import type { Cancellation } from "../kernel/cancellation.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { Exchange } from "../pipeline/exchange.ts";
import type { ToolHints } from "../pipeline/held-call.ts";
import type { McpEra } from "./wire/legacy.ts";

/** A JSON object as it stands on the wire; members that nobody knows are kept. */
export type McpObject = Readonly<Record<string, unknown>>;

/**
 * A request or a notification without its envelope: ids belong to one side of the gateway. `params._meta` has none of
 * the keys that the protocol reserves (`io.modelcontextprotocol/…`), and no progress token: those are in the context.
 */
export interface McpCall {
  readonly method: string;
  readonly params: McpObject;
}

/** What a side says to a request. An error of the protocol is a value; a broken way there is a `GatewayError`. */
export type McpReply = { readonly result: McpObject } | { readonly error: McpFault };

/** A JSON-RPC error. */
export interface McpFault {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** What a client has told of itself, in its handshake or with each request. */
export interface McpClientFacts {
  readonly era: McpEra;
  readonly protocolVersion: string;
  /** `clientInfo`; undefined where the client gave none. */
  readonly info: McpObject | undefined;
  /** Its real capabilities: empty where it declares none. */
  readonly capabilities: McpObject;
  /** The least severe log lines that it wants; undefined where it has not said. */
  readonly logLevel: string | undefined;
}

/** All that a backend may know of the call that it serves, and its ways back to the client. */
export interface McpContext {
  /**
   * The exchange that is served: principal, environment, API. Undefined for a call of the gateway's own (an inspection,
   * a refresh). A parked call outlives its exchange, so nothing may be written to this one.
   */
  readonly exchange: Exchange | undefined;
  /**
   * Names the API, the environment and the principal. Calls of equal owners may share connections and sessions of an
   * upstream; calls of different ones never do.
   */
  readonly owner: string;
  /** The client's own session, of a legacy client that has one: what a session holds upstream is held for it alone. */
  readonly session: string | undefined;
  readonly client: McpClientFacts;
  /** Comes when the client leaves, cancels, or the deadline passes. Everything that the call began ends with it. */
  readonly cancellation: Cancellation;
  /** Headers of the client that may go up: no credentials, none of the transport's own. */
  readonly headers: Readonly<Record<string, string>>;
  /** The client wants progress, under this token: `notify` of progress names it. */
  readonly progressToken: string | number | undefined;
  /**
   * Hears which part of a server of several has the call, by the part's name, and what its tool or prompt is called
   * there; for the call's row.
   */
  readonly noteMember?: (name: string, primitive?: string) => void;
  /**
   * Tells the client something that belongs to this call: progress, a log line. Waits while the client is behind. Nothing
   * is told after the reply.
   */
  notify(notification: McpCall): MaybePromise<void>;
  /**
   * Asks the client (elicitation/create, sampling/createMessage, roots/list) and resolves to its reply. A client that
   * cannot be asked is an error reply. Rejects when the call is cancelled meanwhile.
   */
  ask(question: McpCall): Promise<McpReply>;
}

/** What a server says of itself, whatever its era. */
export interface McpFacts {
  readonly serverInfo: McpObject;
  readonly capabilities: McpObject;
  readonly instructions: string | undefined;
  /** Versions that the server itself speaks, newest first; the gateway's face speaks all eras in any case. */
  readonly versions: readonly string[];
}

/** What a client wants to hear of (2026-07-28, subscriptions/listen, `notifications`). */
export interface McpFilter {
  readonly toolsListChanged?: boolean;
  readonly promptsListChanged?: boolean;
  readonly resourcesListChanged?: boolean;
  readonly resourceSubscriptions?: readonly string[];
}

/** News of a server, until one side has had enough. */
export interface McpSubscription {
  /** What of the filter the server honours. */
  readonly accepted: McpFilter;
  /** Settles when no more will come: resolves at the server's own end, rejects when the way to it broke. */
  readonly ended: Promise<void>;
  /** Ends it from this side. Harmless twice. */
  close(): void;
}

/**
 * An MCP server as the gateway's face sees it, whatever is behind: an upstream of either era, an API description,
 * several of those as one. It keeps no client's state beyond what the context names, and serves many calls at once.
 */
export interface McpBackend {
  /** Who the server is and what it can. Cheap to ask for again. */
  facts(context: McpContext): Promise<McpFacts>;
  /**
   * One request and its reply. Methods are those of the newest era that has them; a result may be `input_required`
   * (with `inputRequests` and `requestState`), and the face brings the client's input back by a request with
   * `inputResponses`. A backend that asks in the middle of a call uses `context.ask`. Rejects with
   * `GatewayError("upstream.…")` where no reply came; a request that may have run is never repeated.
   */
  request(call: McpCall, context: McpContext): Promise<McpReply>;
  /** One notification of the client's (`notifications/roots/list_changed`). What nobody takes is no error. */
  notify(notification: McpCall, context: McpContext): Promise<void>;
  /**
   * News from now on, each through `context.notify`, until `close`, `context.cancellation` or the server's end. Resolves
   * when the server has agreed: nothing that happens after that is missed.
   */
  listen(filter: McpFilter, context: McpContext): Promise<McpSubscription>;
  /** The client has ended its session (`context.session`): what is held for it can go. Optional; it goes by itself too. */
  sessionEnded?(context: McpContext): void;
  /** What is said of a tool, where that is known without asking. */
  hintsOf?(tool: string): ToolHints | undefined;
  /**
   * What the server that a tool comes from says of itself, in few words, by the tool's name here; of servers that are
   * several, as far as the exchange has asked them for facts and tools before. Asks nobody.
   */
  serverOf?(tool: string, exchange: Exchange): string | undefined;
  /** Lets go of everything that is open upstream. Harmless twice. */
  dispose(): MaybePromise<void>;
}
