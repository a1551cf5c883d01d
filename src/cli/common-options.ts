import type { LoadedConfig } from "../config.ts";
import { readConfig } from "../config.ts";
import type { Shell } from "./shell.ts";

/** The options that every command takes; as commander hands them over. */
export interface CommonOptions {
  readonly data?: string;
  readonly port?: string;
  readonly controlPort?: string;
  readonly config?: string;
  readonly verbose?: boolean;
}

/** The options of `start`: which planes the process runs, and what a gateway alone needs. */
export interface StartOptions extends CommonOptions {
  readonly planes?: string;
  readonly controlUrl?: string;
  readonly gatewayTokenFile?: string;
}

/** The options of commands that talk to the control plane. */
export interface ControlOptions extends CommonOptions {
  readonly controlUrl?: string;
  readonly token?: string;
  readonly offline?: boolean;
}

/** The configuration that a command works with: its flags over the environment, the file and the defaults. */
export function commandConfig(
  options: CommonOptions,
  shell: Shell,
  flags: Readonly<Record<string, string | undefined>> = {},
): LoadedConfig {
  return readConfig({
    flags: { dataDir: options.data, port: options.port, controlPort: options.controlPort, ...flags },
    file: options.config,
    cwd: shell.cwd,
    ...(shell.env !== undefined && { env: shell.env }),
  });
}
