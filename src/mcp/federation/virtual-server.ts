import type { Clock } from "../../kernel/clock.ts";
import { GatewayError } from "../../kernel/errors.ts";
import type { Exchange } from "../../pipeline/exchange.ts";
import type { McpBackend, McpCall, McpContext, McpFilter, McpObject, McpReply } from "../backend.ts";
import { unknownName } from "../unknown-name.ts";
import { isObject, jsonRpcCodes } from "../wire/json-rpc.ts";
import { withMeta } from "../wire/reserved-meta.ts";
import type { ListCursors } from "./list-cursors.ts";
import { pageAfter } from "./list-cursors.ts";
import { matchesTemplate } from "./match-template.ts";
import type { Member } from "./member.ts";
import type { CallerList, MemberListSettings, MemberLists } from "./member-lists.ts";
import { createMemberLists } from "./member-lists.ts";
import type { ListKind, Owned } from "./merge-entries.ts";
import { listKinds, listShapes } from "./merge-entries.ts";
import { mergeFacts } from "./merge-facts.ts";
import { serverWords } from "./server-words.ts";
import { taskOf, withPublicTasks } from "./task-ids.ts";
import { listenToAll } from "./virtual-listen.ts";

export interface VirtualServerParts {
  /** In the order in which they keep names that others claim too. */
  readonly members: readonly Member[];
  readonly settings: MemberListSettings & { readonly pageSize: number };
  readonly serverInfo: McpObject;
  readonly clock: Clock;
  readonly cursors: ListCursors;
}

/** Names the servers that a result lacks, in `_meta`. */
export const partialKey = "gatehouse/partial";
/** Names entries that are not shown because another server has the name, in `_meta`. */
export const droppedKey = "gatehouse/dropped";

/**
 * Several servers as one. Lists are merged; a call goes to the one server that has what it names, under that server's own
 * name for it. What no list shows cannot be called.
 */
export function createVirtualServer(parts: VirtualServerParts): McpBackend {
  const { members, settings, clock } = parts;
  const tools: Tools = {
    ...parts,
    lists: createMemberLists(members, settings, clock),
    byName: new Map(members.map((member) => [member.name, member])),
    seen: new WeakMap(),
  };
  const { seen } = tools;
  return {
    async facts(context) {
      const { members: known } = await tools.lists.facts(context);
      const words = new Map(known.map(({ name, facts }) => [name, serverWords(name, facts)]));
      note(seen, context, { words });
      return mergeFacts(parts.serverInfo, known);
    },
    request: (call, context) => request(call, context, tools),
    serverOf(tool, exchange) {
      const { owners, words } = seen.get(exchange) ?? {};
      return words?.get(owners?.get(tool)?.member ?? "");
    },
    async notify(notification, context) {
      await Promise.allSettled(members.map(({ backend }) => backend.notify(notification, context)));
    },
    async listen(filter, context) {
      const filters = await filtersFor(filter, context, tools);
      return listenToAll(context, { clock, filters, changed: tools.lists.changed });
    },
    sessionEnded(context) {
      for (const { backend } of members) backend.sessionEnded?.(context);
    },
    dispose() {}, // the servers are not its own
  };
}

interface Tools extends VirtualServerParts {
  readonly lists: MemberLists;
  readonly byName: ReadonlyMap<string, Member>;
  readonly seen: WeakMap<Exchange, Seen>;
}

/** What an exchange has seen of the servers. */
interface Seen {
  readonly owners?: ReadonlyMap<string, Owned>;
  readonly words?: ReadonlyMap<string, string>;
}

function note(seen: WeakMap<Exchange, Seen>, { exchange }: McpContext, more: Seen): void {
  if (exchange !== undefined) seen.set(exchange, { ...seen.get(exchange), ...more });
}

async function request(call: McpCall, context: McpContext, tools: Tools): Promise<McpReply> {
  const kind = listKinds.find((each) => listShapes[each].method === call.method);
  if (kind !== undefined) return answerList(kind, call, context, tools);
  switch (call.method) {
    case "tools/call":
      return callNamed("tools", call, context, tools);
    case "prompts/get":
      return callNamed("prompts", call, context, tools);
    case "resources/read":
    case "resources/directory/read":
    case "resources/subscribe":
    case "resources/unsubscribe":
      return callResource(call, context, tools);
    case "completion/complete":
      return complete(call, context, tools);
    case "logging/setLevel":
      return tellAll(call, context, tools);
    case "ping":
      return { result: {} };
    default:
      return call.method.startsWith("tasks/") ? callTask(call, context, tools) : notFound;
  }
}

const notFound: McpReply = { error: { code: jsonRpcCodes.methodNotFound, message: "Method not found" } };

async function answerList(kind: ListKind, { params }: McpCall, context: McpContext, tools: Tools): Promise<McpReply> {
  const { cursor } = params;
  const { entries: member, by } = listShapes[kind];
  const place = typeof cursor === "string" ? tools.cursors.open(cursor, kind, context.owner) : undefined;
  if (cursor !== undefined && place === undefined) {
    return { error: { code: jsonRpcCodes.invalidParams, message: "`params.cursor` is none of this list." } };
  }
  const { entries, owners, partial, dropped, ttlMs } = await tools.lists.list(kind, context);
  if (kind === "tools") note(tools.seen, context, { owners });
  const { page, next } = pageAfter(entries, (entry) => String(entry[by]), tools.settings.pageSize, place);
  const result = {
    [member]: page,
    ...(next !== undefined && { nextCursor: tools.cursors.seal({ list: kind, ...next }, context.owner) }),
    ...(Number.isFinite(ttlMs) && { ttlMs }),
  };
  return {
    result: withMeta(result, {
      [partialKey]: partial.length > 0 ? partial : undefined,
      [droppedKey]: dropped.length > 0 ? dropped.slice(0, maxDropped) : undefined,
    }),
  };
}

const maxDropped = 100;

async function callNamed(
  kind: "tools" | "prompts",
  call: McpCall,
  context: McpContext,
  tools: Tools,
): Promise<McpReply> {
  const { name } = call.params;
  const owned = typeof name === "string" ? await ownerOf(kind, name, context, tools) : undefined;
  if (owned === undefined) return unknownName(kind === "tools" ? "Tool" : "Prompt", String(name));
  return pass(owned.member, { ...call, params: { ...call.params, name: owned.name } }, context, tools);
}

/** Whose it is, by the lists as they are kept; they are read anew for a name that they do not have. */
async function ownerOf(kind: ListKind, name: string, context: McpContext, tools: Tools): Promise<Owned | undefined> {
  const list = await tools.lists.list(kind, context);
  const known = list.owners.get(name);
  if (known !== undefined) return known;
  const fresh = isOld(list, tools.clock) ? await readAnew(kind, context, tools) : list;
  const found = fresh.owners.get(name);
  if (found === undefined && fresh.partial.length > 0) throw away(fresh.partial);
  return found;
}

const freshMs = 1_000;

function isOld({ readAtMs }: CallerList, clock: Clock): boolean {
  return clock.monotonic() - readAtMs > freshMs;
}

function readAnew(kind: ListKind, context: McpContext, { lists }: Tools): Promise<CallerList> {
  lists.forget(kind, context);
  return lists.list(kind, context);
}

function away(partial: readonly string[]): GatewayError {
  return new GatewayError(
    "upstream.unavailable",
    "Nothing of this name is known now, and a part of this server does not answer.",
    { detail: partial.join(", ") },
  );
}

async function callResource(call: McpCall, context: McpContext, tools: Tools): Promise<McpReply> {
  const { uri } = call.params;
  const member = typeof uri === "string" ? await resourceOwner(uri, context, tools) : undefined;
  if (member === undefined) return unknownName("Resource", String(uri));
  return pass(member, call, context, tools);
}

/** By the list, then by templates; what no list names belongs to the only server that has resources, if there is one. */
async function resourceOwner(uri: string, context: McpContext, tools: Tools): Promise<string | undefined> {
  const [resources, templates] = await Promise.all([
    tools.lists.list("resources", context),
    tools.lists.list("templates", context),
  ]);
  const known = resources.owners.get(uri);
  if (known !== undefined) return known.member;
  for (const [template, { member }] of templates.owners) if (matchesTemplate(template, uri)) return member;
  const { members } = await tools.lists.facts(context);
  const able = members.filter(({ facts }) => facts.capabilities["resources"] !== undefined);
  const [only] = able;
  if (only !== undefined && able.length === 1 && tools.byName.get(only.name)?.takes("resources", uri) === true) {
    return only.name;
  }
  const partial = new Set([...resources.partial, ...templates.partial]);
  if (partial.size > 0) throw away([...partial]);
  return undefined;
}

async function complete(call: McpCall, context: McpContext, tools: Tools): Promise<McpReply> {
  const ref = call.params["ref"];
  if (!isObject(ref))
    return { error: { code: jsonRpcCodes.invalidParams, message: "`params.ref` must be an object." } };
  const { name, uri } = ref;
  if (ref["type"] === "ref/prompt" && typeof name === "string") {
    const owned = await ownerOf("prompts", name, context, tools);
    if (owned === undefined) return unknownName("Prompt", name);
    const params = { ...call.params, ref: { ...ref, name: owned.name } };
    return pass(owned.member, { ...call, params }, context, tools);
  }
  if (typeof uri !== "string") return unknownName("Resource", String(uri));
  const owned = (await tools.lists.list("templates", context)).owners.get(uri);
  const member = owned?.member ?? (await resourceOwner(uri, context, tools));
  return member === undefined ? unknownName("Resource", uri) : pass(member, call, context, tools);
}

async function callTask(call: McpCall, context: McpContext, tools: Tools): Promise<McpReply> {
  const { taskId } = call.params;
  if (typeof taskId !== "string") return notFound; // tasks/list: nobody's tasks of several servers are listed
  const target = taskOf(taskId);
  if (target === undefined || !tools.byName.has(target.member)) return unknownName("Task", taskId);
  return pass(target.member, { ...call, params: { ...call.params, taskId: target.taskId } }, context, tools);
}

/** A level of logging is for all servers that log; one that does not answer keeps it from nobody. */
async function tellAll(call: McpCall, context: McpContext, tools: Tools): Promise<McpReply> {
  const { members } = await tools.lists.facts(context);
  const able = members.filter(({ facts }) => facts.capabilities["logging"] !== undefined);
  const unnamed = { ...context, noteMember: () => undefined }; // it is for no one of them
  const replies = await Promise.allSettled(able.map(({ name }) => pass(name, call, unnamed, tools)));
  const given = replies.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  return given.find((reply) => "result" in reply) ?? given[0] ?? (able.length === 0 ? notFound : { result: {} });
}

/** A call at its server. What comes back names tasks as clients know them. */
async function pass(name: string, call: McpCall, context: McpContext, tools: Tools): Promise<McpReply> {
  const member = tools.byName.get(name);
  if (member === undefined) return notFound;
  const own = call.params["name"];
  context.noteMember?.(name, typeof own === "string" ? own : undefined);
  const reply = await member.backend.request(call, {
    ...context,
    notify(notification) {
      if (notification.method.endsWith("/list_changed")) tools.lists.changed();
      return context.notify({ ...notification, params: withPublicTasks(name, notification.params) });
    },
  });
  return "result" in reply ? { result: withPublicTasks(name, reply.result) } : reply;
}

async function filtersFor(
  { resourceSubscriptions = [], ...flags }: McpFilter,
  context: McpContext,
  tools: Tools,
): Promise<ReadonlyMap<Member, McpFilter>> {
  const owners = await Promise.all(
    resourceSubscriptions.map(async (uri) => ({ uri, owner: await resourceOwner(uri, context, tools) })),
  );
  const filters = new Map<Member, McpFilter>();
  for (const member of tools.members) {
    const uris = owners.filter(({ owner }) => owner === member.name).map(({ uri }) => uri);
    const filter = { ...flags, ...(uris.length > 0 && { resourceSubscriptions: uris }) };
    if (Object.keys(filter).length > 0) filters.set(member, filter);
  }
  return filters;
}
