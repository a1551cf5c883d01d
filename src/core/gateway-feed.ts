import { randomBytes } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { GatewayError } from "../kernel/errors.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import { memoByObject } from "../kernel/memo-by-object.ts";
import { buildArtifactSet } from "./artifact-set.ts";
import type { CoreContext } from "./core-context.ts";
import { currentMessages } from "./distribution.ts";
import { liveKeyManagers } from "./key-managers.ts";
import type { PlaneMessage } from "./plane-message.ts";
import { mapTexts } from "./secret-fields.ts";

/** What a gateway process is told: everything, or what has come since the version that it has. */
export interface FeedAnswer {
  /** Of this shape; a gateway refuses one that it does not know. */
  readonly format: 1;
  readonly type: "whole" | "changes";
  /** Where the gateway stands when it has taken this over. */
  readonly version: string;
  readonly messages: readonly PlaneMessage[];
}

/** The part of an answer that is sealed for who asked. */
export interface FeedSecrets {
  /** The key that hashes API keys, and from which others are derived. 32 bytes in hex. */
  readonly pepper: { readonly id: string; readonly key: string };
  /**
   * The values behind the references of what is deployed, all of them, by name or id; undefined where none of them has
   * changed.
   */
  readonly values?: Readonly<Record<string, string>>;
}

/** One answer with its secrets, as a gateway process has opened it. */
export interface FeedTold {
  readonly answer: FeedAnswer;
  readonly secrets: FeedSecrets;
}

/** What a gateway process keeps of the feed, so that it can start while the control plane is away. */
export interface FeedCopy {
  /**
   * Everything that was kept, in order, and when the control plane was last heard; undefined when there is nothing, or
   * when a part of it is damaged or lost: an older state is not served in place of a newer one.
   */
  load(): Promise<{ readonly told: readonly FeedTold[]; readonly heardAtMs: number } | undefined>;
  /** Puts a whole answer in place of what was kept. */
  replace(told: FeedTold, heardAtMs: number): Promise<void>;
  /** Adds changes. */
  append(told: FeedTold, heardAtMs: number): Promise<void>;
  /** Notes that the control plane has said that nothing has changed. */
  heard(heardAtMs: number): Promise<void>;
}

/** The control plane's side of the feed: what was published since the process began, and what holds now. */
export interface GatewayFeed {
  readonly version: string;
  /** Takes note of a message that was published, after the gateway of this process has taken it over. */
  note(message: PlaneMessage): void;
  /** Undefined when `version` is the present one; the changes since, if they are still known; else everything. */
  since(version: string | undefined): Promise<FeedTold | undefined>;
  /** Calls with each new version. */
  onChange(listener: (version: string) => void): void;
}

export interface GatewayFeedParts {
  context(): CoreContext;
  /** Gives the value behind a reference, as it does to the gateway of this process. */
  readonly secrets: { read(name: string): MaybePromise<string> };
}

/** Changes that are kept for gateways that were away for a moment; a gateway that is further behind gets everything. */
const keptChanges = 5_000;

/**
 * An empty feed. A version names the process that gave it and the count of its messages, so that a gateway which has
 * heard another one starts over. What `since` answers is never older than its version says; it may hold some that is
 * newer, which the next answer says again.
 */
export function createGatewayFeed(parts: GatewayFeedParts): GatewayFeed {
  const epoch = randomBytes(9).toString("base64url");
  const listeners: ((version: string) => void)[] = [];
  const kept: PlaneMessage[] = [];
  let count = 0;
  const versionAt = (at: number): string => `${epoch}.${at}`;

  const changesSince = (version: string | undefined): readonly PlaneMessage[] | undefined => {
    const [from, at] = version?.split(".") ?? [];
    const missing = count - Number(at);
    if (from !== epoch || !(missing >= 0 && missing <= kept.length)) return undefined;
    return missing === 0 ? [] : kept.slice(-missing);
  };

  return {
    get version() {
      return versionAt(count);
    },
    note(message) {
      count += 1;
      kept.push(message);
      if (kept.length > keptChanges * 2) kept.splice(0, kept.length - keptChanges);
      for (const listener of listeners) listener(versionAt(count));
    },
    async since(version) {
      if (version === versionAt(count)) return undefined;
      const context = parts.context();
      const changes = changesSince(version);
      const now = versionAt(count);
      if (changes !== undefined) {
        const secrets = await secretsFor(parts, changes.some(mayChangeSecrets));
        return { answer: { format: 1, type: "changes", version: now, messages: changes }, secrets };
      }
      const whole = await wholeAt(context, () => count);
      const secrets = await secretsFor(parts, true);
      return {
        answer: { format: 1, type: "whole", version: versionAt(whole.count), messages: whole.messages },
        secrets,
      };
    },
    onChange: (listener) => void listeners.push(listener),
  };
}

const attempts = 3;

// A key that was made and removed between the count and the reading would come back for one answer: so it is read again.
async function wholeAt(
  context: CoreContext,
  count: () => number,
): Promise<{ readonly count: number; readonly messages: readonly PlaneMessage[] }> {
  for (let attempt = 1; ; attempt += 1) {
    const before = count();
    const messages = await currentMessages(context);
    await nextTurn(); // what was committed before the reading has been published by now
    if (count() === before || attempt === attempts) return { count: before, messages };
  }
}

function mayChangeSecrets({ type }: PlaneMessage): boolean {
  return type === "artifacts" || type === "secret.changed" || type === "identity" || type === "key-manager.put";
}

async function secretsFor(parts: GatewayFeedParts, withValues: boolean): Promise<FeedSecrets> {
  const { catalog, log, pepper } = parts.context();
  const key = pepper.key.export().toString("hex");
  const named = { pepper: { id: pepper.id, key } };
  if (!withValues) return named;
  const { set, managers } = await catalog.transaction(async (transaction) => ({
    set: await buildArtifactSet(transaction),
    managers: await liveKeyManagers(parts.context(), transaction),
  }));
  const values: Record<string, string> = {};
  const specs = [...set.apis, ...set.supporting].map(({ spec }) => spec);
  for (const name of new Set([...specs, managers].flatMap((each) => [...referencesIn(each)]))) {
    try {
      values[name] = await parts.secrets.read(name);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      log.warn({ secret: name, code: error.code }, "a secret that a gateway needs is missing"); // as it is here
    }
  }
  return { ...named, values };
}

/** Names and ids of the references anywhere in a value: a gateway is given what it needs and no other secret. */
const referencesIn = memoByObject((value): ReadonlySet<string> => {
  const found = new Set<string>();
  mapTexts(value, [], (text) => {
    const name = /^\$\{(?:secret|sealed):([a-z0-9_-]+)\}$/.exec(text)?.[1];
    if (name !== undefined) found.add(name);
    return text;
  });
  return found;
});
