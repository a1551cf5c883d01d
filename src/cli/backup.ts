import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { GatewayError } from "../kernel/errors.ts";
import { dataPaths } from "../store/data-directory.ts";
import { backupSqlite } from "../store/sqlite/backup-sqlite.ts";
import { openSqliteReader } from "../store/sqlite/sqlite-connection.ts";
import type { CommonOptions } from "./common-options.ts";
import { commandConfig } from "./common-options.ts";
import type { Shell } from "./shell.ts";

/** Copies the catalog as it is at one moment to a new file; Gatehouse may be running meanwhile. */
export async function backup(file: string, options: CommonOptions, shell: Shell): Promise<void> {
  const { catalogPath, encryptionKeyPath } = dataPaths(commandConfig(options, shell).config.dataDir);
  if (!existsSync(catalogPath)) {
    throw new GatewayError(
      "resource.not_found",
      `There is no catalog at ${catalogPath}. Name the data directory with --data.`,
    );
  }
  using source = openSqliteReader(catalogPath);
  await backupSqlite(source, resolve(shell.cwd, file));
  shell.out(`wrote ${file}`);
  shell.note(`The encryption key is not in it. Keep that too, in another place (${encryptionKeyPath}, or what`);
  shell.note("GATEHOUSE_ENCRYPTION_KEY holds): without it neither secrets nor API keys of the backup are of use.");
}
