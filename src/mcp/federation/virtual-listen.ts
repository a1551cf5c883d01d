import { Cancellation } from "../../kernel/cancellation.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { McpCall, McpContext, McpFilter, McpSubscription } from "../backend.ts";
import type { Member } from "./member.ts";
import { withPublicTasks } from "./task-ids.ts";

const againMs = 5_000;

export interface ListenParts {
  readonly clock: Clock;
  /** What of the filter is for each server; nothing for those that are left out. */
  readonly filters: ReadonlyMap<Member, McpFilter>;
  /** A list of a server's has changed. */
  changed(): void;
}

/**
 * News of several servers as one subscription, agreed to when each has agreed or failed. A server that goes away is
 * listened to again later, and takes nothing from the others; when it is back its lists are told to have changed, for
 * what happened meanwhile is not known. Ends when all servers have ended it; rejects where none could be listened to.
 */
export async function listenToAll(context: McpContext, parts: ListenParts): Promise<McpSubscription> {
  const ended = Promise.withResolvers<void>();
  const cancellation = new Cancellation();
  const follower = { onCancel: (reason: unknown): void => cancellation.cancel(reason) };
  if (context.cancellation.isCancelled) cancellation.cancel(context.cancellation.reason);
  else context.cancellation.listen(follower);
  const open = new Map<Member, McpSubscription>();
  const timers = new Set<() => void>();
  let left = parts.filters.size;
  let isClosed = false;

  const notify = (member: Member) => (call: McpCall) => {
    if (isClosed) return undefined;
    if (call.method.endsWith("/list_changed")) parts.changed();
    return context.notify({ ...call, params: withPublicTasks(member.name, call.params) });
  };
  const begin = async (member: Member, filter: McpFilter): Promise<McpSubscription> => {
    const subscription = await member.backend.listen(filter, { ...context, cancellation, notify: notify(member) });
    if (isClosed) subscription.close();
    open.set(member, subscription);
    subscription.ended.then(
      () => over(),
      () => later(member, filter),
    );
    return subscription;
  };
  const over = (): void => {
    left -= 1;
    if (left <= 0) ended.resolve();
  };
  const later = (member: Member, filter: McpFilter): void => {
    if (isClosed || cancellation.isCancelled) return;
    const stop = parts.clock.after(againMs, () => {
      timers.delete(stop);
      begin(member, filter).then(
        ({ accepted }) => tellAll(accepted, notify(member)),
        () => later(member, filter),
      );
    });
    timers.add(stop);
  };

  const begun = await Promise.allSettled([...parts.filters].map(([member, filter]) => begin(member, filter)));
  const accepted = begun.flatMap((each) => (each.status === "fulfilled" ? [each.value.accepted] : []));
  if (accepted.length === 0 && parts.filters.size > 0) {
    context.cancellation.ignore(follower);
    throw begun.find((each) => each.status === "rejected")?.reason;
  }
  [...parts.filters].forEach(([member, filter], at) => {
    if (begun[at]?.status === "rejected") later(member, filter);
  });
  return {
    accepted: unionOf(accepted),
    ended: ended.promise,
    close() {
      isClosed = true;
      context.cancellation.ignore(follower);
      for (const stop of timers) stop();
      for (const subscription of open.values()) subscription.close();
    },
  };
}

function unionOf(accepted: readonly McpFilter[]): McpFilter {
  const uris = accepted.flatMap(({ resourceSubscriptions = [] }) => resourceSubscriptions);
  return {
    ...(accepted.some(({ toolsListChanged }) => toolsListChanged) && { toolsListChanged: true }),
    ...(accepted.some(({ promptsListChanged }) => promptsListChanged) && { promptsListChanged: true }),
    ...(accepted.some(({ resourcesListChanged }) => resourcesListChanged) && { resourcesListChanged: true }),
    ...(uris.length > 0 && { resourceSubscriptions: uris }),
  };
}

function tellAll(accepted: McpFilter, notify: (call: McpCall) => unknown): void {
  const changed = (list: string): unknown => notify({ method: `notifications/${list}/list_changed`, params: {} });
  if (accepted.toolsListChanged === true) changed("tools");
  if (accepted.promptsListChanged === true) changed("prompts");
  if (accepted.resourcesListChanged === true) changed("resources");
}
