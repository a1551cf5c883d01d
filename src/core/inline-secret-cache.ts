import { GatewayError } from "../kernel/errors.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import { memoByObject } from "../kernel/memo-by-object.ts";
import type { CoreContext } from "./core-context.ts";
import { inlineBinding, inlinePointers } from "./inline-secrets.ts";
import type { PlaneMessage } from "./plane-message.ts";
import { openValue } from "./sealed-values.ts";

/** The inline values of what this gateway serves, opened in its memory only. */
export interface InlineSecretCache {
  /** Whether it is for this cache to say. */
  knows(id: string): boolean;
  /** A promise only until the value was read once. Throws `upstream.credentials` where it does not belong or open. */
  read(id: string): MaybePromise<string>;
  /** Notes what the artifacts and key managers of a message hold, and begins to read it. */
  apply(message: PlaneMessage): void;
}

interface Place {
  readonly holderId: string;
  readonly path: string;
}

/** Where each id stands. More than one place is somebody's mistake, or intent: the row itself says which one counts. */
type Places = ReadonlyMap<string, readonly Place[]>;

/**
 * An empty cache over the vault of `context`. A value opens only for the resource and the member that it was written
 * for. What the artifacts before the last ones held is still known, for the requests that run on them.
 */
export function createInlineSecretCache(context: () => CoreContext): InlineSecretCache {
  let artifacts: Places = new Map();
  let older: Places = new Map();
  const keyManagers = new Map<string, Places>();
  const values = new Map<string, MaybePromise<string>>();

  const placesOf = (id: string): readonly Place[] =>
    [artifacts, older, ...keyManagers.values()].flatMap((places) => places.get(id) ?? []);

  const read = (id: string): MaybePromise<string> => {
    const known = values.get(id);
    if (known !== undefined) return known;
    const places = placesOf(id);
    if (places.length === 0) throw unknownValue(id);
    const reading = open(context(), id, places).then(
      (value) => {
        values.set(id, value);
        return value;
      },
      (error: unknown) => {
        values.delete(id); // the next one who asks tries again
        context().log.error({ secret: id, holder: places[0]?.holderId, err: error }, "an inline secret cannot be read");
        throw unknownValue(id, error);
      },
    );
    values.set(id, reading);
    return reading;
  };

  const follow = (places: Places): void => {
    for (const id of values.keys()) if (placesOf(id).length === 0) values.delete(id);
    // What cannot be read is told in the log, and again to whoever needs it.
    for (const id of places.keys()) void Promise.resolve(read(id)).catch(() => {});
  };

  return {
    knows: (id) => id.startsWith("isv_"),
    read,
    apply(message) {
      if (message.type === "artifacts") {
        older = artifacts;
        artifacts = placesIn([...message.set.apis, ...message.set.supporting]);
        follow(artifacts);
      }
      const records =
        message.type === "identity" ? message.keyManagers : message.type === "key-manager.put" ? [message.record] : [];
      if (message.type === "identity") keyManagers.clear();
      for (const { id, with: config } of records) {
        const places = placesIn([{ id, spec: { with: config } }]);
        keyManagers.set(id, places);
        follow(places);
      }
      if (message.type === "key-manager.removed") keyManagers.delete(message.id);
    },
  };
}

/** A spec is looked through once, however often it comes. */
const pointersIn = memoByObject((spec) => inlinePointers(spec));

function placesIn(holders: readonly { readonly id: string; readonly spec: unknown }[]): Places {
  const found = holders.flatMap((holder) =>
    pointersIn(holder.spec).map(({ id, path }) => ({ id, holderId: holder.id, path })),
  );
  return Map.groupBy(found, ({ id }) => id);
}

async function open({ catalog, vaultKeys }: CoreContext, id: string, places: readonly Place[]): Promise<string> {
  const row = await catalog.read.inlineSecrets.find(id);
  if (row === undefined || !places.some(({ holderId, path }) => row.holderId === holderId && row.path === path)) {
    const where = places.map(({ holderId, path }) => `${path} of ${holderId}`).join(", ");
    throw new GatewayError("secret.undecryptable", "A secret cannot be decrypted.", {
      detail: `${id} does not belong to ${where}`,
    });
  }
  return openValue(vaultKeys, row.sealed, inlineBinding(row));
}

function unknownValue(id: string, cause?: unknown): GatewayError {
  return new GatewayError("upstream.credentials", "A secret that this API needs is missing.", {
    detail: `the inline secret ${id}`,
    cause,
  });
}
