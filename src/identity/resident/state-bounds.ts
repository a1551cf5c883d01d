import { errors } from "oidc-provider";
import type { CatalogTransaction } from "../../core/catalog.ts";

/** Refuses a new row of a model that has as many as it may. */
export interface StateBound {
  /** Throws 503 in OAuth's form for a row that is new and has no room. Called in the transaction that puts it. */
  admit(transaction: CatalogTransaction, idHash: string): Promise<void>;
}

/** Rows that anybody can cause without logging in, and how many there may be at a time: 40 MB of each at the most. */
const mostRows: ReadonlyMap<string, number> = new Map([
  ["Interaction", 5_000],
  ["PushedAuthorizationRequest", 5_000],
]);

/** The bound of a model; undefined where only who has logged in or holds a secret makes rows. */
export function boundOf(model: string, most = mostRows.get(model)): StateBound | undefined {
  if (most === undefined) return undefined;
  // Counting reads the index, so it is done when there may be no room and not before.
  let counted = Number.POSITIVE_INFINITY;
  return {
    async admit({ oauthState }, idHash) {
      if (counted >= most) {
        counted = await oauthState.count(model, most);
        if (counted >= most && (await oauthState.find(model, idHash)) === undefined) throw full();
      }
      counted += 1;
    },
  };
}

function full(): Error {
  const error = new errors.OIDCProviderError(503, "temporarily_unavailable");
  return Object.assign(error, { error_description: "too many log-ins are under way; try again in some minutes" });
}
