import type * as JosePackage from "jose";
import type { CryptoKey, JSONWebKeySet, JWK, LocalJWKSet } from "jose";
import type { Clock } from "../kernel/clock.ts";
import { GatewayError, toGatewayError } from "../kernel/errors.ts";
import type { Log } from "../kernel/log.ts";
import type { KeyManagerFetch, KeySource } from "../pipeline/define-key-manager.ts";

type Jose = Pick<typeof JosePackage, "createLocalJWKSet" | "errors">;

/** The keys of one key manager that check signatures. */
export interface SigningKeys extends Disposable {
  /** Fetches what is not there yet. Never rejects. */
  warm(): Promise<void>;
  /**
   * The keys that the header may mean, most often one; none when it names one that is not there. Throws
   * `auth.unavailable` while there are no keys at all.
   */
  find(header: { readonly alg: string; readonly kid?: string | undefined }): Promise<readonly CryptoKey[]>;
  /** Another number when keys have gone: what was checked with the old ones must be checked again. */
  readonly epoch: number;
}

export interface RemoteKeysParts {
  /** The key manager, for the log. */
  readonly name: string;
  readonly source: Extract<KeySource, { type: "remote" }>;
  readonly fetch: KeyManagerFetch;
  readonly clock: Clock;
  readonly log: Log;
  readonly jose: () => Promise<Jose>;
}

/** Between two fetches because of a key that is not there: whoever makes keys up causes no more than that. */
const coolDownMs = 30_000;
/** Between two fetches while there are no keys at all. */
const emptyCoolDownMs = 1_000;

const maxBytes = 262_144;
const maxKeys = 100;

/**
 * Keys fetched from the server, in memory only: a gateway that starts fetches them. They are fetched again when they
 * have reached their age, and at a key id that is not among them, at most every 30 seconds; one fetch at a time. While
 * the server is away those that were fetched last go on.
 */
export function createRemoteKeys(parts: RemoteKeysParts): SigningKeys {
  const { clock, log, name } = parts;
  let keys: FetchedKeys | undefined;
  let triedAtMs = Number.NEGATIVE_INFINITY;
  let running: Promise<boolean> | undefined;
  let cancel: (() => void) | undefined;
  let epoch = 0;
  let isDisposed = false;

  const schedule = (afterMs: number): void => {
    cancel?.();
    cancel = isDisposed ? undefined : clock.after(afterMs, () => void refresh());
  };
  const load = async (): Promise<boolean> => {
    try {
      const next = await fetchKeys(parts);
      if (keys !== undefined && [...keys.texts].some((text) => !next.texts.has(text))) epoch += 1;
      keys = next;
      schedule(parts.source.maxAgeMs);
      return true;
    } catch (error) {
      const { message, detail } = toGatewayError(error);
      log.warn({ keyManager: name, text: message, detail, kept: keys?.texts.size ?? 0 }, "keys could not be fetched");
      schedule(coolDownMs);
      return false;
    } finally {
      running = undefined;
    }
  };
  const refresh = (): Promise<boolean> => {
    if (running === undefined) {
      triedAtMs = clock.monotonic();
      running = load();
    }
    return running;
  };
  const mayFetch = (): boolean => {
    const restMs = keys === undefined ? emptyCoolDownMs : coolDownMs;
    return running !== undefined || clock.monotonic() - triedAtMs >= restMs;
  };

  return {
    async warm() {
      if (keys === undefined) await refresh();
    },
    async find(header) {
      if (keys === undefined && mayFetch()) await refresh();
      if (keys === undefined) throw unavailable(name);
      const found = await matching(await parts.jose(), keys.set, header);
      if (found.length > 0 || !mayFetch() || !(await refresh())) return found;
      return matching(await parts.jose(), keys.set, header);
    },
    get epoch() {
      return epoch;
    },
    [Symbol.dispose]() {
      isDisposed = true;
      cancel?.();
    },
  };
}

/** Keys that came with the configuration. */
export function createLocalKeys(
  keys: readonly Readonly<Record<string, unknown>>[],
  jose: () => Promise<Jose>,
): SigningKeys {
  let set: LocalJWKSet | undefined;
  return {
    warm: async () => undefined,
    async find(header) {
      const loaded = await jose();
      set ??= loaded.createLocalJWKSet(publicKeySet({ keys }));
      return matching(loaded, set, header);
    },
    epoch: 0,
    [Symbol.dispose]: () => undefined,
  };
}

/** One public key or certificate in PEM, for one algorithm; whatever key id a token names, it is this one. */
export function createPemKey(pem: string, algorithm: string, jose: () => Promise<PemReader>): SigningKeys {
  let key: Promise<CryptoKey> | undefined;
  const read = async (): Promise<CryptoKey> => {
    const { importSPKI, importX509 } = await jose();
    return pem.includes("BEGIN CERTIFICATE") ? importX509(pem, algorithm) : importSPKI(pem, algorithm);
  };
  return {
    warm: async () => undefined,
    async find({ alg }) {
      if (alg !== algorithm) return [];
      key ??= read();
      return [await key];
    },
    epoch: 0,
    [Symbol.dispose]: () => undefined,
  };
}

type PemReader = Pick<typeof JosePackage, "importSPKI" | "importX509">;

interface FetchedKeys {
  readonly set: LocalJWKSet;
  /** Each key as text, to see which have gone. */
  readonly texts: ReadonlySet<string>;
}

async function fetchKeys({ source, fetch, jose }: RemoteKeysParts): Promise<FetchedKeys> {
  const { url, chosenBy } = await source.locate();
  const answer = await fetch(url, { chosenBy, headers: { accept: "application/json" }, maxBytes, timeoutMs: 5_000 });
  if (answer.status !== 200) throw invalid(`${url} answered with ${answer.status}`);
  const set = publicKeySet(answer.json());
  // Nobody signs with no key: a server that says so is broken, and what it said before goes on.
  if (set.keys.length === 0) throw invalid(`${url} answered with no public key`);
  const texts = new Set(set.keys.map((key) => JSON.stringify(key)));
  return { set: (await jose()).createLocalJWKSet(set), texts };
}

/** The public keys of a set. Shared secrets and private keys are left out: no token may be checked with one. */
function publicKeySet(value: unknown): JSONWebKeySet {
  const keys = typeof value === "object" && value !== null && "keys" in value ? value.keys : undefined;
  if (!Array.isArray(keys)) throw invalid("it is no key set");
  if (keys.length > maxKeys) throw invalid(`it holds more than ${maxKeys} keys`);
  const isPublic = (key: unknown): key is JWK =>
    typeof key === "object" && key !== null && "kty" in key && key.kty !== "oct" && !("d" in key);
  return { keys: keys.filter(isPublic) };
}

async function matching(
  jose: Jose,
  set: LocalJWKSet,
  { alg, kid }: { readonly alg: string; readonly kid?: string | undefined },
): Promise<readonly CryptoKey[]> {
  try {
    return [await set(kid === undefined ? { alg } : { alg, kid })];
  } catch (error) {
    if (error instanceof jose.errors.JWKSMultipleMatchingKeys) return await several(error);
    if (error instanceof jose.errors.JOSEError) return [];
    throw error;
  }
}

async function several(keys: AsyncIterable<CryptoKey>): Promise<readonly CryptoKey[]> {
  const found: CryptoKey[] = [];
  for await (const key of keys) if (found.push(key) >= 10) break;
  return found;
}

function invalid(detail: string): GatewayError {
  return new GatewayError("upstream.invalid", "The key manager's keys cannot be read.", { detail });
}

function unavailable(name: string): GatewayError {
  return new GatewayError("auth.unavailable", "Tokens cannot be checked now; try again in a moment.", {
    detail: `the keys of ${name} were never fetched`,
    retryAfterMs: emptyCoolDownMs,
  });
}
