import type { z } from "zod";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { Limiter } from "./limiter.ts";
import type { TokenVerifier } from "./token-verifier.ts";

/** What every plug-in of every kind says of itself. The one `config` schema validates, documents and makes the form. */
export interface PluginDescription<Config extends z.ZodType> {
  /** As `use` names it: kebab-case, unique among its kind. */
  readonly id: string;
  readonly title: string;
  readonly summary: string;
  /** A `z.strictObject`; each member has title, description, limits and default. */
  readonly config: Config;
  /** Configurations that work; the contract tests compile each. */
  readonly examples: readonly z.input<Config>[];
}

/** What happens to the request when the plug-in itself breaks. There is no silent default. */
export type OnError = "deny" | "continue";

/** All that a plug-in gets from outside. It opens nothing and reads no clock of its own. */
export interface PluginTools {
  readonly clock: Clock;
  readonly log: Log;
  readonly limiter: Limiter;
  /** The value behind `${secret:name}`; rejects with `resource.not_found` when there is none. */
  readonly secrets: SecretReader;
  readonly tokens: TokenVerifier;
}

export interface SecretReader {
  /** The secret's value now. A changed secret is seen by the next call. */
  read(name: string): MaybePromise<string>;
}
