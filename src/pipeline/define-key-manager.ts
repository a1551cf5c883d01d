import type { z } from "zod";
import type { Environment } from "../core/environment.ts";
import type { KeyManagerConnector } from "../core/key-manager-connector.ts";
import type { KeyManagerRecord } from "../core/plane-message.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { SafeResponse } from "../kernel/safe-fetch.ts";
import type { PluginDescription, SecretReader } from "./plugin.ts";

/** The way out, as `SafeFetch` of the kernel has it; loaded at its first use. */
export type KeyManagerFetch = (
  url: string,
  options: {
    readonly chosenBy: "operator" | "response";
    readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
    readonly maxBytes?: number;
    readonly timeoutMs?: number;
  },
) => Promise<SafeResponse>;

/** All that a key manager gets from outside. */
export interface KeyManagerTools {
  readonly clock: Clock;
  readonly log: Log;
  readonly fetch: KeyManagerFetch;
  readonly secrets: SecretReader;
}

/** How tokens of a key manager are told from others, and read. Whatever is not said here is refused. */
export interface TokenRules {
  /** Values of `iss`. */
  readonly issuers: readonly string[];
  /** Signature algorithms; asymmetric ones only, so a public key can never serve as a shared secret. */
  readonly algorithms: readonly string[];
  /** Accepted values of the header's `typ`, lower case, without `application/`; any when undefined. */
  readonly types: readonly string[] | undefined;
  readonly clockSkewMs: number;
  /** What binds a token to an API: its `aud`, or a list of APIs in this claim. */
  readonly binding: { readonly by: "audience" } | { readonly by: "api-list"; readonly claim: string };
  /** Claims that may hold the client's id; the first that does counts. */
  readonly clientIdClaims: readonly string[];
  /** Where scopes stand: text with spaces between, or a list. The first that is there counts. */
  readonly scopeClaims: readonly string[];
  /** The claim with the id of the client's secret, where the server tells. */
  readonly secretIdClaim: string | undefined;
  /** The claim with the tokens that an exchanged token came of, where the server tells: it dies with them. */
  readonly originsClaim?: string;
  /** Whether a client that nobody has registered here may call; it belongs to no application then. */
  readonly allowUnknownClients: boolean;
  /** Whether tokens may also come in the header of API keys. */
  readonly inKeyHeader: boolean;
  /** Claims with the addresses and referrers from which alone the token may be used. */
  readonly bounds?: { readonly ips: string; readonly referrers: string };
  /** For how long what the server says of a token that is no JWT is remembered; such tokens are refused when undefined. */
  readonly introspectionMs?: number | undefined;
  /** Which tokens that are no JWT may be its own; any when undefined. It is shown no other. */
  readonly opaqueTokens?: (token: string) => boolean;
  /** Where tokens of clients that are not registered here lead; to production when undefined or absent. */
  readonly environment?: (claims: Readonly<Record<string, unknown>>) => Environment | undefined;
  /** A claim, or a path with dots, that the caller's claims show as `roles`, whatever the server calls it. */
  readonly rolesClaim?: string;
  /** Why a token that is signed and for us is none to call with: an identity token, a refresh token. */
  readonly kindFault?: (claims: Readonly<Record<string, unknown>>) => string | undefined;
}

/** Where the keys that check signatures come from. */
export type KeySource =
  | { readonly type: "local"; readonly keys: readonly Readonly<Record<string, unknown>>[] }
  | { readonly type: "pem"; readonly pem: string; readonly algorithm: string }
  | {
      readonly type: "remote";
      /** How long fetched keys are taken for fresh. Older ones go on while the server is away. */
      readonly maxAgeMs: number;
      /** Where they are now; may ask the server's discovery document. Throws `upstream.…`. */
      locate(): Promise<{ readonly url: string; readonly chosenBy: "operator" | "response" }>;
    };

/** A key manager with its configuration. Compiling opens nothing. */
export interface CompiledKeyManager extends Omit<KeyManagerConnector, "issuers" | typeof Symbol.asyncDispose> {
  readonly rules: TokenRules;
  readonly keys: KeySource;
}

export interface KeyManagerPlugin<Config extends z.ZodType = z.ZodType> extends PluginDescription<Config> {
  readonly kind: "key-manager";
  compile(config: z.output<Config>, tools: KeyManagerTools, record: KeyManagerRecord): CompiledKeyManager;
}

/** Declares a key manager; pure. Put it in its own file and in the list of `identity/index.ts`. */
export function defineKeyManager<Config extends z.ZodType>(
  plugin: Omit<KeyManagerPlugin<Config>, "kind">,
): KeyManagerPlugin<Config> {
  return { ...plugin, kind: "key-manager" };
}
