import type { LoadedConfig } from "../config.ts";
import { expiringCredentialsSchema } from "../control/status-routes.ts";
import { findDataHolder } from "../store/data-directory.ts";
import { askRunning } from "./ask-running.ts";
import type { CommonOptions } from "./common-options.ts";
import type { Finding } from "./finding.ts";
import type { Shell } from "./shell.ts";

/** What the doctor says of keys and client secrets that end soon, of a process that runs. */
export async function expiryFindings(
  options: CommonOptions,
  { config }: LoadedConfig,
  shell: Shell,
): Promise<readonly Finding[]> {
  if (findDataHolder(config.dataDir) === undefined) return [];
  const told = await askRunning("/api/v1/expiring-credentials", expiringCredentialsSchema, options, shell);
  if (told === undefined) return [{ state: "hint", what: "expiry: the running process does not say what ends soon" }];
  const days = config.oauth.expiryWarningDays;
  if (told.items.length === 0) return [{ state: "ok", what: `no key and no client secret ends within ${days} days` }];
  return told.items.map(({ kind, name, expiresAt, lastUsedAt }) => {
    const used = lastUsedAt === null ? "never used" : `last used at ${lastUsedAt}`;
    return { state: "hint", what: `${kind}/${name} ends at ${expiresAt}, ${used}; rotate it with an overlap` };
  });
}
