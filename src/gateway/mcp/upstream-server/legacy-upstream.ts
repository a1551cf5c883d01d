import { Cancellation } from "../../../kernel/cancellation.ts";
import type { Clock } from "../../../kernel/clock.ts";
import { GatewayError } from "../../../kernel/errors.ts";
import type { McpBackend, McpCall, McpContext, McpFilter, McpReply, McpSubscription } from "../../../mcp/backend.ts";
import type { LegacySession } from "./legacy-session.ts";
import type { SessionPoolOptions } from "./session-pool.ts";
import { createSessionPool } from "./session-pool.ts";

export interface LegacyUpstreamParts {
  readonly clock: Clock;
  /** Begins a session in the name of the context's client. */
  open(context: McpContext): Promise<LegacySession>;
  readonly sessions?: SessionPoolOptions;
  /** In whose name the session of a call is held, where that is not the caller's own. */
  holder?(context: McpContext): McpContext;
}

/** An upstream of the sessions' era, up to 2025-11-25, as a backend; however its messages travel. */
export function createLegacyUpstream({
  clock,
  open,
  sessions,
  holder = (context) => context,
}: LegacyUpstreamParts): McpBackend {
  // The handshake belongs to all who will share the session, and not to the call that came first.
  const own = createSessionPool(clock, (context) => open({ ...context, cancellation: new Cancellation() }), sessions);
  const pool = {
    use: <Value>(context: McpContext, work: (session: LegacySession) => Promise<Value>): Promise<Value> =>
      own.use(holder(context), work),
    forget: own.forget,
  };
  const inSession = async <Value>(
    context: McpContext,
    work: (session: LegacySession) => Promise<Value | "gone">,
  ): Promise<Value> => {
    const first = await pool.use(context, async (session) => {
      const done = await work(session);
      if (done === "gone") pool.forget(session);
      return done;
    });
    if (first !== "gone") return first;
    const second = await pool.use(context, work); // the server knew no such session, so nothing has run
    if (second !== "gone") return second;
    throw new GatewayError("upstream.invalid", "The MCP server forgets its sessions at once.");
  };
  return {
    facts: (context) => pool.use(context, ({ facts }) => Promise.resolve(facts)),
    request: (call, context) => inSession<McpReply>(context, (session) => session.request(call, context)),
    notify: (notification, context) => pool.use(context, (session) => session.notify(notification, context)),
    listen: (filter, context) => pool.use(context, (session) => listen(session, filter, context)),
    sessionEnded(context) {
      if (holder(context) === context) own.ended(context);
    },
    dispose: () => own.dispose(),
  };
}

/** The stream of the session, and a subscription to each resource. What the server refuses is not accepted. */
async function listen(session: LegacySession, filter: McpFilter, context: McpContext): Promise<McpSubscription> {
  const { resourceSubscriptions = [], ...lists } = honoured(filter, session);
  const stream = await session.stream.listen({ ...lists, resourceSubscriptions }, context);
  const watched: string[] = [];
  for (const uri of resourceSubscriptions) if (await watch(session, uri, context)) watched.push(uri);
  const isOpen = Object.keys(stream.accepted).length > 0;
  return {
    accepted: isOpen ? { ...lists, ...(watched.length > 0 && { resourceSubscriptions: watched }) } : {},
    ended: stream.ended,
    close() {
      stream.close();
      for (const uri of watched.splice(0)) unwatch(session, uri, context);
    },
  };
}

async function watch(session: LegacySession, uri: string, context: McpContext): Promise<boolean> {
  const others = session.watched.get(uri) ?? 0;
  if (others === 0) {
    const reply = await session.request(resourceCall("resources/subscribe", uri), context);
    if (reply === "gone" || "error" in reply) return false;
  }
  session.watched.set(uri, (session.watched.get(uri) ?? 0) + 1);
  return true;
}

function unwatch(session: LegacySession, uri: string, context: McpContext): void {
  const left = (session.watched.get(uri) ?? 1) - 1;
  if (left > 0) {
    session.watched.set(uri, left);
    return;
  }
  session.watched.delete(uri);
  const aside = { ...context, cancellation: new Cancellation() }; // the listener's own has come already
  session.request(resourceCall("resources/unsubscribe", uri), aside).catch(() => undefined); // the session may be over
}

function resourceCall(method: string, uri: string): McpCall {
  return { method, params: { uri } };
}

/** What of the filter the server can do by its own word. */
function honoured(filter: McpFilter, { facts: { capabilities } }: LegacySession): McpFilter {
  const can = (list: string, member: string): boolean => {
    const able = capabilities[list];
    return typeof able === "object" && able !== null && Reflect.get(able, member) === true;
  };
  return {
    ...(filter.toolsListChanged === true && can("tools", "listChanged") && { toolsListChanged: true }),
    ...(filter.promptsListChanged === true && can("prompts", "listChanged") && { promptsListChanged: true }),
    ...(filter.resourcesListChanged === true && can("resources", "listChanged") && { resourcesListChanged: true }),
    ...(filter.resourceSubscriptions !== undefined &&
      can("resources", "subscribe") && { resourceSubscriptions: filter.resourceSubscriptions }),
  };
}
