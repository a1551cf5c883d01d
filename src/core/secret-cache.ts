import { GatewayError } from "../kernel/errors.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { CoreContext } from "./core-context.ts";
import { createInlineSecretCache } from "./inline-secret-cache.ts";
import type { PlaneMessage } from "./plane-message.ts";
import { listSecrets, readSecret } from "./secrets.ts";

/** The secrets' values in memory, so that a request asks no database. */
export interface SecretCache {
  /**
   * The secret of that name, or the inline value of that id; a promise only for an inline value that is not read yet.
   * Throws `upstream.credentials` for one that is not there: what it is for cannot be called.
   */
  read(name: string): MaybePromise<string>;
  /** Reads a changed secret again; other messages are passed over. Resolves when the new value holds, or was asked for in vain. */
  apply(message: PlaneMessage): Promise<void>;
  /** Reads all of them; call it before serving. A secret that cannot be decrypted is logged and stays unread. */
  load(): Promise<void>;
}

const retryAfterMs = 1_000;

/**
 * An empty cache over the vault of `context`. When the store does not answer, the value that was known goes on and is
 * read again each second; only a secret that is gone or cannot be decrypted is forgotten.
 */
export function createSecretCache(context: () => CoreContext): SecretCache {
  const inline = createInlineSecretCache(context);
  const values = new Map<string, string>();
  const latest = new Map<string, number>(); // a reading that a later one has overtaken must not undo it
  let readings = 0;
  const refresh = async (name: string): Promise<void> => {
    readings += 1;
    const reading = readings;
    latest.set(name, reading);
    const isLatest = (): boolean => latest.get(name) === reading;
    try {
      const value = await readSecret(context(), name);
      if (isLatest()) values.set(name, value);
    } catch (error) {
      if (!isLatest()) return;
      const code = error instanceof GatewayError ? error.code : undefined;
      if (code === "resource.not_found" || code === "secret.undecryptable") values.delete(name);
      if (code === "resource.not_found") return;
      context().log.error({ secret: name, err: error }, "a secret cannot be read");
      if (code !== "secret.undecryptable") context().clock.after(retryAfterMs, () => isLatest() && void refresh(name));
    }
  };
  return {
    read(name) {
      if (inline.knows(name)) return inline.read(name);
      const value = values.get(name);
      if (value !== undefined) return value;
      throw new GatewayError("upstream.credentials", "A secret that this API needs is missing.", {
        detail: `the secret ${name}`,
      });
    },
    async apply(message) {
      inline.apply(message);
      if (message.type === "secret.changed") await refresh(message.name);
    },
    async load() {
      let cursor: string | undefined;
      do {
        const page = await listSecrets(context(), { limit: 200, cursor });
        for (const { name } of page.rows) await refresh(name);
        cursor = page.next;
      } while (cursor !== undefined);
    },
  };
}
