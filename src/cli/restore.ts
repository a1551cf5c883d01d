import { resolve } from "node:path";
import { openDataDirectory } from "../store/data-directory.ts";
import { restoreSqliteCatalog } from "../store/sqlite/restore-sqlite-catalog.ts";
import type { CommonOptions } from "./common-options.ts";
import { commandConfig } from "./common-options.ts";
import type { Shell } from "./shell.ts";

export interface RestoreOptions extends CommonOptions {
  readonly force?: boolean;
}

/** Puts a backup in the catalog's place. Gatehouse must be stopped; a catalog that is there is replaced by `--force` only. */
export async function restore(
  file: string,
  { force = false, ...options }: RestoreOptions,
  shell: Shell,
): Promise<void> {
  const { config } = commandConfig(options, shell);
  await using data = await openDataDirectory(config.dataDir, shell.clock);
  await restoreSqliteCatalog({ from: resolve(shell.cwd, file), to: data.catalogPath, force });
  shell.out(`restored ${data.catalogPath}`);
  shell.note(`Its secrets and API keys need the encryption key of the installation that it was made in, at`);
  shell.note(`${data.encryptionKeyPath} or in GATEHOUSE_ENCRYPTION_KEY.`);
}
