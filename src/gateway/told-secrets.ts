import type { FeedSecrets } from "../core/gateway-feed.ts";
import { GatewayError } from "../kernel/errors.ts";

/** The secrets of a gateway that has no vault: what its control plane has told it. */
export interface ToldSecrets {
  /** Throws `upstream.credentials` for one that was not told. */
  read(name: string): string;
  /** Puts what is told in place of what was; does nothing where nothing was said of values. */
  take(secrets: FeedSecrets): void;
}

/** Empty until it is told. What was told before is still known, for the requests that run on it. */
export function createToldSecrets(): ToldSecrets {
  let present: ReadonlyMap<string, string> = new Map();
  let older: ReadonlyMap<string, string> = new Map();
  return {
    read(name) {
      const value = present.get(name) ?? older.get(name);
      if (value !== undefined) return value;
      throw new GatewayError("upstream.credentials", "A secret that this API needs is missing.", {
        detail: `the secret ${name} is not among what the control plane has sent`,
      });
    },
    take({ values }) {
      if (values === undefined) return;
      older = present;
      present = new Map(Object.entries(values));
    },
  };
}
