import type { LoadedConfig } from "../config.ts";
import { findDataHolder } from "../store/data-directory.ts";
import type { CommonOptions } from "./common-options.ts";
import { openControlClient } from "./control-client.ts";
import { readStatus } from "./encryption.ts";
import type { Finding } from "./finding.ts";
import type { Shell } from "./shell.ts";

/** What the doctor says of the encryption keys of a process that runs: what is left under older ones, and which may go. */
export async function encryptionFindings(
  options: CommonOptions,
  { config }: LoadedConfig,
  shell: Shell,
): Promise<readonly Finding[]> {
  if (findDataHolder(config.dataDir) === undefined) return [];
  try {
    await using control = await openControlClient(options, shell);
    const { keys, keysFrom } = await readStatus(control);
    const [current, ...older] = keys.toSorted((left, right) => Number(right.current) - Number(left.current));
    if (current === undefined) return [];
    const where = keysFrom === "file" ? "gatehouse secrets rotate --drop-old" : "GATEHOUSE_ENCRYPTION_KEYS without it";
    return [
      { state: "ok", what: `encryption: ${current.values} values are sealed with ${current.id}` },
      ...older.map(({ id, values, given }): Finding => {
        if (values > 0 && !given)
          return { state: "fault", what: `encryption: ${values} values need ${id}, which is not given` };
        if (values > 0)
          return {
            state: "hint",
            what: `encryption: ${values} values are still sealed with ${id}; gatehouse secrets rotate`,
          };
        return { state: "hint", what: `encryption: ${id} seals nothing any more and may be dropped: ${where}` };
      }),
    ];
  } catch {
    return [{ state: "hint", what: "encryption: the running process does not say how its keys are" }];
  }
}
