import type { McpContext } from "../../../mcp/backend.ts";
import type { ProtocolAdapter } from "../../../pipeline/adapter.ts";
import type { Exchange, Principal } from "../../../pipeline/exchange.ts";
import type { Deny } from "../../../pipeline/outcome.ts";
import { deny } from "../../../pipeline/outcome.ts";
import type { Attachment, CompiledApi, CompiledChain, Snapshot } from "../../../pipeline/snapshot.ts";

/** An exchange with a server that another one is made of, for a call of that other's caller. */
export interface MemberExchange {
  readonly exchange: Exchange;
  /** Why this caller may not use that server at all. */
  readonly refusal: Deny | undefined;
}

/**
 * The caller as the member knows them: with the member's own subscription and plan, and without what was judged or charged
 * already (the key's own bounds and budgets, limits of the application and team, policies of the gateway).
 */
export function memberExchange(
  outer: Exchange,
  api: CompiledApi,
  { cancellation }: McpContext,
  call: ProtocolAdapter["call"],
): MemberExchange {
  const { id, startedAtMs, startedMonotonicMs, inbound, snapshot, credentials, labels, decisions, tracing } = outer;
  const principal = principalAt(outer, api);
  const exchange: Exchange = {
    id,
    startedAtMs,
    startedMonotonicMs,
    inbound,
    credentials,
    labels,
    decisions,
    tracing,
    principal,
    cancellation,
    get signal() {
      return cancellation.signal;
    },
    snapshot: withoutHolders(snapshot),
    api: { ...api, chain: ownChain(outer.api, api), adapter: { ...api.adapter, call } },
    operations: [],
    attempts: [],
    route: undefined,
    responseHeaders: {},
    keepOpen: () => undefined,
    recordAside: () => undefined,
    requestBytes: 0,
    responseBytes: 0,
    firstByteMs: undefined,
  };
  return { exchange, refusal: refusalAt(api, principal) };
}

function principalAt({ principal, credentials }: Exchange, api: CompiledApi): Principal | undefined {
  if (principal === undefined) return undefined;
  const { applicationId } = principal;
  const own = applicationId === undefined ? undefined : credentials.subscription(applicationId, api.id);
  return { ...principal, planId: own?.planId, subscription: own?.state, budgets: undefined, mayCall: undefined };
}

/** What the member asks of all its callers: its subscription, and scopes of tokens. */
function refusalAt(api: CompiledApi, principal: Principal | undefined): Deny | undefined {
  const { subscription, type, scopes = [] } = principal ?? {};
  const lacksSubscription = subscription === undefined ? api.subscriptionRequired : subscription !== "active";
  if (lacksSubscription) {
    const detail = `${api.kind}/${api.name} asks for a subscription of its own`;
    return deny("auth.forbidden", "This caller may not use this part of the server.", { detail });
  }
  const needed = type === "token" ? (api.oauth?.scopes ?? []) : [];
  if (needed.every((scope) => scopes.includes(scope))) return undefined;
  return deny("auth.insufficient_scope", "The access token lacks a scope that this part of the server asks for.", {
    scopes: needed,
    data: { scopes: needed },
  });
}

const withoutHolder = new WeakMap<Snapshot, Snapshot>();

function withoutHolders(snapshot: Snapshot): Snapshot {
  const known = withoutHolder.get(snapshot) ?? { ...snapshot, holders: new Map() };
  withoutHolder.set(snapshot, known);
  return known;
}

const chains = new WeakMap<CompiledApi, WeakMap<CompiledApi, CompiledChain>>();

/** The member's chain without the attachments that the outer API's has too: those of the gateway have run. */
function ownChain(outer: CompiledApi, api: CompiledApi): CompiledChain {
  const byMember = chains.get(outer) ?? new WeakMap<CompiledApi, CompiledChain>();
  chains.set(outer, byMember);
  const known = byMember.get(api);
  if (known !== undefined) return known;
  const made = Object.fromEntries(
    Object.entries(api.chain).map(([step, list]: [string, readonly Attachment[]]) => {
      const ran = new Set(outer.chain[step as keyof CompiledChain].map(({ place }) => place)); // a member of it
      return [step, list.filter(({ place }) => !ran.has(place))];
    }),
  ) as unknown as CompiledChain; // each step of it once, as above
  byMember.set(api, made);
  return made;
}
