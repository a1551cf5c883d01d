import type { LoadedConfig } from "../config.ts";
import { expiringCredentialsSchema } from "../control/status-routes.ts";
import { findDataHolder } from "../store/data-directory.ts";
import type { CommonOptions } from "./common-options.ts";
import { openControlClient } from "./control-client.ts";
import type { Finding } from "./finding.ts";
import type { Shell } from "./shell.ts";

/** What the doctor says of keys and client secrets that end soon, of a process that runs. */
export async function expiryFindings(
  options: CommonOptions,
  { config }: LoadedConfig,
  shell: Shell,
): Promise<readonly Finding[]> {
  if (findDataHolder(config.dataDir) === undefined) return [];
  try {
    await using control = await openControlClient(options, shell);
    const { items } = expiringCredentialsSchema.parse(await control.call("GET", "/api/v1/expiring-credentials"));
    if (items.length > 0) {
      return items.map(({ kind, name, expiresAt, lastUsedAt }) => {
        const used = lastUsedAt === null ? "never used" : `last used at ${lastUsedAt}`;
        return { state: "hint", what: `${kind}/${name} ends at ${expiresAt}, ${used}; rotate it with an overlap` };
      });
    }
    const days = config.oauth.expiryWarningDays;
    return [{ state: "ok", what: `no key and no client secret ends within ${days} days` }];
  } catch {
    return [{ state: "hint", what: "expiry: the running process does not say what ends soon" }];
  }
}
