import type { MaybePromise } from "../../../kernel/maybe-promise.ts";
import type { AffinityOwner, AffinityStore } from "../../../pipeline/affinity-store.ts";
import type { Exchange, Operation } from "../../../pipeline/exchange.ts";
import type { Deny } from "../../../pipeline/outcome.ts";
import { deny } from "../../../pipeline/outcome.ts";
import type { CompiledTarget } from "../../../pipeline/target.ts";
import { callerOf, stateKey } from "../affinity.ts";

/**
 * Whose a file or a batch is: the application's, so that a key that takes the place of another finds what that one has
 * made; of a caller without an application its own.
 */
function holderOf(exchange: Pick<Exchange, "principal">): string {
  return exchange.principal?.applicationId ?? callerOf(exchange);
}

/** Who made a file or a batch, or the refusal of one that is not there for this caller. */
export function findKept(
  exchange: Exchange,
  id: string,
  store: AffinityStore | undefined,
  param?: string,
): MaybePromise<AffinityOwner | Deny> {
  const settle = (owner: AffinityOwner | undefined): AffinityOwner | Deny =>
    owner !== undefined && owner.caller === holderOf(exchange) && isThere(exchange, owner)
      ? owner
      : notThere(id, param);
  const found = store?.find(stateKey(exchange, id));
  return found instanceof Promise ? found.then(settle) : settle(found);
}

function isThere({ api, principal }: Exchange, { target, provider }: AffinityOwner): boolean {
  const { targets } = api.protocol.upstreams[principal?.environment ?? "production"];
  return targets.some(({ id, providerName }) => id === target || providerName === provider);
}

/** One text for never made, another application's and forgotten. */
function notThere(id: string, param?: string): Deny {
  const message = `There is no \`${id.slice(0, 100)}\`. It may be too old, or not have been made by way of this API.`;
  return deny("resource.not_found", message, param === undefined ? {} : { param });
}

/** Remembers who made what an answer tells of: a file, a batch, and the files that a batch has written. */
export function noteKept(
  exchange: Exchange,
  operation: Operation,
  target: CompiledTarget,
  message: unknown,
  store: AffinityStore,
): void {
  if (!isObject(message)) return;
  const { object, deleted } = message;
  if (object !== "file" && object !== "batch") return;
  const owner = {
    target: target.id,
    provider: target.providerName,
    caller: holderOf(exchange),
    model: operation.name,
  };
  for (const name of ["id", "output_file_id", "error_file_id"]) {
    const id = message[name];
    if (typeof id !== "string" || id === "") continue;
    if (deleted === true) store.forget(stateKey(exchange, id));
    else store.put(stateKey(exchange, id), owner);
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
