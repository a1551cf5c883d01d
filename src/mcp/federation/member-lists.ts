import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Clock } from "../../kernel/clock.ts";
import { GatewayError } from "../../kernel/errors.ts";
import type { McpContext, McpFacts, McpObject } from "../backend.ts";
import { isObject } from "../wire/json-rpc.ts";
import type { Member } from "./member.ts";
import type { ListKind, MergedEntries } from "./merge-entries.ts";
import { listShapes, mergeEntries } from "./merge-entries.ts";
import { within } from "./within.ts";

/** One list of all servers, as one caller has it. */
export interface CallerList extends MergedEntries {
  readonly kind: ListKind;
  /** Servers that did not answer: what belongs to them is missing, or as it was last known. */
  readonly partial: readonly string[];
  /** How long it may be kept, by what the servers say. */
  readonly ttlMs: number;
  readonly readAtMs: number;
}

/** What all servers are, and who of them did not answer. */
export interface CallerFacts {
  readonly members: readonly { readonly name: string; readonly facts: McpFacts }[];
  readonly partial: readonly string[];
}

export interface MemberListSettings {
  readonly onFailure: "failOpen" | "failClosed";
  readonly lastKnown: boolean;
  readonly timeoutMs: number;
  readonly keepMs: number;
  /** Of one list of one server; a server with more of either is one that does not answer. 100 and 10,000 when absent. */
  readonly maxPages?: number;
  readonly maxEntries?: number;
}

/** Lists and facts of the servers, read side by side. They are one caller's own: nobody is shown what another was. */
export interface MemberLists {
  list(kind: ListKind, context: McpContext): Promise<CallerList>;
  facts(context: McpContext): Promise<CallerFacts>;
  /** A server has told that something changed: lists are read anew. */
  changed(): void;
  /** This caller's list is read anew, and nobody else's. */
  forget(kind: ListKind, context: McpContext): void;
}

const maxCallers = 2_000;
/** Of all callers together: what is kept for one server stays within some ten megabytes. */
const maxKept = 50_000;
const usualPages = 100;
const usualEntries = 10_000;

/** Keeps the lists of those who asked last: of 2,000 callers at most, and 50,000 entries of all of them together. */
export function createMemberLists(members: readonly Member[], settings: MemberListSettings, clock: Clock): MemberLists {
  const lists = createKept<CallerList>(settings.keepMs, clock, ({ entries }) => entries.length);
  const facts = createKept<CallerFacts>(settings.keepMs, clock, () => 0);
  const lastEntries = new LRUCache<string, MemberAnswer>({
    maxSize: maxKept,
    sizeCalculation: ({ entries }) => entries.length + 1,
  });
  const lastFacts = new LRUCache<string, McpFacts>({ max: maxCallers });

  async function gather<Value extends object>(
    last: LRUCache<string, Value>,
    place: string,
    context: McpContext,
    read: (member: Member, context: McpContext) => Promise<Value>,
  ): Promise<{ readonly found: ReadonlyMap<string, Value>; readonly partial: readonly string[] }> {
    const found = new Map<string, Value>();
    const failures = new Map<string, unknown>();
    await Promise.all(
      members.map(async (member) => {
        const key = JSON.stringify([place, callerOf(context), member.name]);
        try {
          const value = await within(settings.timeoutMs, clock, context, (own) => read(member, own));
          last.set(key, value);
          found.set(member.name, value);
        } catch (error) {
          failures.set(member.name, error);
          const known = settings.lastKnown && !isRefusal(error) ? last.get(key) : undefined;
          if (known !== undefined) found.set(member.name, known);
        }
      }),
    );
    const [first] = failures.values();
    if (failures.size > 0 && (settings.onFailure === "failClosed" || found.size === 0)) throw failed(failures, first);
    return { found, partial: members.map(({ name }) => name).filter((name) => failures.has(name)) };
  }

  async function readList(kind: ListKind, context: McpContext): Promise<CallerList> {
    const { found, partial } = await gather(lastEntries, kind, context, (member, own) =>
      readAll(kind, member, own, settings),
    );
    const merged = mergeEntries(
      kind,
      members.flatMap(({ name, takes, rename }) => {
        const answer = found.get(name);
        if (answer === undefined) return [];
        const own = { takes: (each: string) => takes(kind, each), rename: (each: string) => rename(kind, each) };
        return [{ member: name, entries: answer.entries, ...own }];
      }),
    );
    const ttlMs = Math.min(settings.keepMs, ...[...found.values()].map((answer) => answer.ttlMs));
    return { ...merged, kind, partial, ttlMs: partial.length > 0 ? 0 : ttlMs, readAtMs: clock.monotonic() };
  }

  async function readFacts(context: McpContext): Promise<CallerFacts> {
    const { found, partial } = await gather(lastFacts, "facts", context, ({ backend }, own) => backend.facts(own));
    const known = members.flatMap(({ name }) => {
      const own = found.get(name);
      return own === undefined ? [] : [{ name, facts: own }];
    });
    return { members: known, partial };
  }

  return {
    list: (kind, context) => lists.get(placeOf(kind, context), () => readList(kind, context)),
    facts: (context) => facts.get(callerOf(context), () => readFacts(context)),
    changed: () => lists.clear(),
    forget: (kind, context) => lists.forget(placeOf(kind, context)),
  };
}

function placeOf(kind: ListKind, context: McpContext): string {
  return JSON.stringify([kind, callerOf(context)]);
}

// What a token says of its holder decides what is listed, and another token of the same holder may say less.
function callerOf({ owner, exchange }: McpContext): string {
  const { claims, scopes } = exchange?.principal ?? {};
  if (claims === undefined && scopes === undefined) return owner;
  const said = createHash("sha256")
    .update(JSON.stringify([claims, scopes]))
    .digest("base64url");
  return `${owner} ${said}`;
}

interface MemberAnswer {
  readonly entries: readonly McpObject[];
  readonly ttlMs: number;
}

/** All pages of a server's list. A server without such a list has an empty one. */
async function readAll(
  kind: ListKind,
  { backend }: Member,
  context: McpContext,
  { maxPages = usualPages, maxEntries = usualEntries }: MemberListSettings,
): Promise<MemberAnswer> {
  const { method, entries: place, capability } = listShapes[kind];
  const { capabilities } = await backend.facts(context);
  if (capabilities[capability] === undefined) return { entries: [], ttlMs: Number.POSITIVE_INFINITY };
  const entries: McpObject[] = [];
  let cursor: unknown;
  let ttlMs = Number.POSITIVE_INFINITY;
  for (let page = 1; ; page += 1) {
    const reply = await backend.request({ method, params: cursor === undefined ? {} : { cursor } }, context);
    if ("error" in reply) {
      if (reply.error.code === -32_601) break; // it said that it can, and has no such method
      const { code, message } = reply.error;
      throw new GatewayError("upstream.invalid", "The MCP server refuses its list.", { detail: `${code} ${message}` });
    }
    const { result } = reply;
    const listed = result[place];
    const own = Array.isArray(listed) ? listed.filter(isObject) : [];
    for (const entry of own) entries.push(entry);
    if (entries.length > maxEntries) throw tooLong("listEntries", maxEntries);
    if (typeof result["ttlMs"] === "number") ttlMs = Math.min(ttlMs, result["ttlMs"]);
    cursor = result["nextCursor"];
    if (typeof cursor !== "string") break;
    if (page >= maxPages) throw tooLong("listPages", maxPages);
  }
  return { entries, ttlMs };
}

function tooLong(limit: "listEntries" | "listPages", value: number): GatewayError {
  const place = `spec.limits.${limit}`;
  return new GatewayError(
    "upstream.too_large",
    `A server's list is too long. An operator can raise \`${place}\` of this MCP server, which is ${value}.`,
    { data: { limit: place, value } },
  );
}

/** Whoever may not see a list now is not shown what it was. */
function isRefusal(error: unknown): boolean {
  return error instanceof GatewayError && (error.code.startsWith("auth.") || error.code === "upstream.invalid");
}

function failed(failures: ReadonlyMap<string, unknown>, cause: unknown): GatewayError {
  if (failures.size === 1 && cause instanceof GatewayError) return cause;
  const detail = [...failures.keys()].join(", ");
  return new GatewayError("upstream.unavailable", "A server that this one is made of does not answer.", {
    cause,
    detail,
  });
}

/** Values by caller, for a while; who asks in the meantime waits for the same one. What fails is not kept. */
function createKept<Value extends object>(keepMs: number, clock: Clock, sizeOf: (value: Value) => number) {
  const kept = new LRUCache<string, { readonly value: Promise<Value>; readonly endMs: number }>({
    max: maxCallers,
    maxSize: maxKept,
  });
  return {
    async get(key: string, read: () => Promise<Value>): Promise<Value> {
      const known = kept.get(key);
      if (known !== undefined && known.endMs > clock.monotonic()) return known.value;
      const value = read();
      const entry = { value, endMs: clock.monotonic() + keepMs };
      if (keepMs > 0) kept.set(key, entry, { size: 1 });
      try {
        const found = await value;
        // What is not whole is read again by the next who asks, once it has rested for a moment.
        const endMs = isPartial(found) ? clock.monotonic() + restMs : entry.endMs;
        if (kept.get(key) === entry) kept.set(key, { value, endMs }, { size: sizeOf(found) + 1 });
        return found;
      } catch (error) {
        if (kept.get(key) === entry) kept.delete(key);
        throw error;
      }
    },
    clear: () => kept.clear(),
    forget: (key: string) => void kept.delete(key),
  };
}

const restMs = 1_000;

function isPartial(value: object): boolean {
  const partial: unknown = Reflect.get(value, "partial");
  return Array.isArray(partial) && partial.length > 0;
}
