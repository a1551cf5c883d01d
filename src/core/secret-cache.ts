import { GatewayError } from "../kernel/errors.ts";
import type { CoreContext } from "./core-context.ts";
import type { PlaneMessage } from "./plane-message.ts";
import { listSecrets, readSecret } from "./secrets.ts";

/** The secrets' values in memory, so that a request asks no database. */
export interface SecretCache {
  /** Throws `resource.not_found` for a name that is not there. */
  read(name: string): string;
  /** Reads a changed secret again; other messages are passed over. Resolves when the new value holds. */
  apply(message: PlaneMessage): Promise<void>;
  /** Reads all of them; call it before serving. A secret that cannot be decrypted is logged and stays unread. */
  load(): Promise<void>;
}

/** An empty cache over the vault of `context`. */
export function createSecretCache(context: () => CoreContext): SecretCache {
  const values = new Map<string, string>();
  const refresh = async (name: string): Promise<void> => {
    try {
      values.set(name, await readSecret(context(), name));
    } catch (error) {
      values.delete(name);
      if (error instanceof GatewayError && error.code === "resource.not_found") return;
      context().log.error({ secret: name, err: error }, "a secret cannot be read");
    }
  };
  return {
    read(name) {
      const value = values.get(name);
      if (value !== undefined) return value;
      throw new GatewayError("resource.not_found", "A secret that this API needs is missing.", { detail: name });
    },
    apply: async (message) => (message.type === "secret.changed" ? refresh(message.name) : undefined),
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
