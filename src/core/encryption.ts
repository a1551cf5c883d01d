import { randomBytes } from "node:crypto";
import { GatewayError, toGatewayError } from "../kernel/errors.ts";
import { noteCurrentKey, usedKeys } from "./check-vault.ts";
import type { Actor, CoreContext } from "./core-context.ts";
import { sealForFile } from "./file-envelope.ts";
import type { RotationOutcome, RotationStep, SealedCounts } from "./key-rotation.ts";
import { countSealed, leftOver, rotateVault } from "./key-rotation.ts";
import type { KeyEntry, LiveKeyring } from "./keyring.ts";
import { createKeyring, printKeyring } from "./keyring.ts";
import { sealedPlaces } from "./sealed-values.ts";

/** The file that the keys of this process came from; it alone can be given a new one while running. */
export interface KeyFile {
  write(text: string): Promise<void>;
  /** Keeps keys that are about to go from the file: backups from before still need them. */
  keepDropped(text: string): Promise<void>;
}

/** A key of the installation: how much it seals, and whether this process has it. */
export interface KeyStatus {
  readonly id: string;
  readonly current: boolean;
  readonly given: boolean;
  /** Values that it has sealed, in all and by place; while a rotation runs, as it was at its beginning. */
  readonly values: number;
  readonly places: Readonly<Record<string, number>>;
}

export interface RotationStatus extends Omit<RotationStep, "place"> {
  readonly state: "never" | "running" | "done" | "failed";
  /** Values that were to be sealed anew when it began. */
  readonly total: number;
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly retired: readonly string[];
  /** Why it failed, for whoever asked for it. */
  readonly fault: string | null;
}

export interface EncryptionStatus {
  readonly keysFrom: "configuration" | "file";
  readonly keys: readonly KeyStatus[];
  readonly rotation: RotationStatus;
}

export interface RotationRequest {
  /** Makes a key, puts it first in the key file, and seals with it from then on. */
  readonly newKey: boolean;
  /** Takes the keys that seal nothing any more out of the key file at the end. */
  readonly dropOld: boolean;
}

/** The encryption of a running installation. Disposing stops a rotation after the values that it has in hand. */
export interface Encryption extends AsyncDisposable {
  status(): Promise<EncryptionStatus>;
  /**
   * Begins to seal everything with the current key, or a new one, and answers at once. Throws `resource.conflict` while
   * one is running and `request.invalid` where this process cannot change its keys.
   */
  rotate(actor: Actor, request: RotationRequest): Promise<EncryptionStatus>;
  /** A value as it may stand in a file: `${enc:…}`. */
  sealForFile(value: string): string;
}

/** The encryption of the installation behind `context`; `keyFile` is undefined where the keys are configured. */
export function createEncryption(
  context: () => CoreContext,
  keys: LiveKeyring,
  keyFile: KeyFile | undefined,
): Encryption {
  const stop = new AbortController();
  let rotation: RotationStatus = notYet;
  let running: Promise<void> | undefined;
  let counted: readonly KeyStatus[] = [];

  const status = async (): Promise<EncryptionStatus> => {
    // Counting reads every value: not while a rotation runs, whose watchers ask several times a second.
    if (rotation.state !== "running") counted = await keyStatus(context(), keys);
    return { keysFrom: keyFile === undefined ? "configuration" : "file", keys: counted, rotation };
  };

  const run = async (actor: Actor, dropOld: boolean): Promise<void> => {
    const onStep = ({ done, unreadable }: RotationStep): void => {
      rotation = { ...rotation, done, unreadable };
    };
    try {
      const outcome = await rotateVault(context(), keys, actor, { signal: stop.signal, onStep });
      if (dropOld && keyFile !== undefined) await dropUnused(context(), keys, keyFile);
      rotation = ended(rotation, context().clock.now(), outcome);
    } catch (error) {
      const fault = stop.signal.aborted
        ? "the process was stopped; rotate again to go on"
        : toGatewayError(error).message;
      rotation = { ...rotation, state: "failed", endedAtMs: context().clock.now(), fault };
      if (!stop.signal.aborted) context().log.error({ err: error }, "the rotation of the encryption key has failed");
    }
  };

  return {
    status,
    sealForFile: (value) => sealForFile(keys, value),
    async rotate(actor, { newKey, dropOld }) {
      if (rotation.state === "running") throw new GatewayError("resource.conflict", "A rotation is running already.");
      if ((newKey || dropOld) && keyFile === undefined) throw keysAreConfigured();
      const before = rotation;
      rotation = { ...notYet, state: "running", startedAtMs: context().clock.now() };
      try {
        if (newKey && keyFile !== undefined) await adoptNewKey(context(), keys, keyFile);
        rotation = { ...rotation, total: await leftOver(context().catalog.read, keys.current.id) };
        counted = await keyStatus(context(), keys);
      } catch (error) {
        rotation = before;
        throw error;
      }
      running = run(actor, dropOld);
      return status();
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

const notYet: RotationStatus = {
  state: "never",
  done: 0,
  total: 0,
  unreadable: 0,
  startedAtMs: null,
  endedAtMs: null,
  retired: [],
  fault: null,
};

function ended(rotation: RotationStatus, endedAtMs: number, outcome: RotationOutcome): RotationStatus {
  if (outcome.unreadable === 0) return { ...rotation, ...outcome, state: "done", endedAtMs };
  const fault = `${outcome.unreadable} values do not open with any key that was given; they stay as they are`;
  return { ...rotation, ...outcome, state: "failed", endedAtMs, fault };
}

async function keyStatus({ catalog }: CoreContext, keys: LiveKeyring): Promise<readonly KeyStatus[]> {
  const ids = [...new Set([...keys.ids, ...(await usedKeys(catalog.read))])];
  const counts = await countSealed(catalog.read, ids);
  return ids.map((id) => {
    const places = placesOf(counts, id);
    const values = Object.values(places).reduce((sum, count) => sum + count, 0);
    return { id, current: id === keys.current.id, given: keys.find(id) !== undefined, values, places };
  });
}

function placesOf(counts: SealedCounts, id: string): Readonly<Record<string, number>> {
  return Object.fromEntries(sealedPlaces.map((place) => [place, counts[place][id] ?? 0]));
}

// The file first, then the note in the catalog, then the use: a crash in between leaves nothing that cannot be opened.
async function adoptNewKey({ catalog }: CoreContext, keys: LiveKeyring, keyFile: KeyFile): Promise<void> {
  const entries: readonly KeyEntry[] = [{ key: randomBytes(32).toString("hex") }, ...keys.entries];
  const next = createKeyring(entries);
  await keyFile.write(printKeyring(entries));
  await catalog.transaction((transaction) => noteCurrentKey(transaction, next));
  keys.replace(entries);
}

async function dropUnused({ catalog }: CoreContext, keys: LiveKeyring, keyFile: KeyFile): Promise<void> {
  const used = await usedKeys(catalog.read);
  const isKept = (_: KeyEntry, index: number): boolean => index === 0 || used.includes(keys.ids[index] ?? "");
  const entries = keys.entries.filter(isKept);
  if (entries.length === keys.entries.length) return;
  await keyFile.keepDropped(printKeyring(keys.entries.filter((entry, index) => !isKept(entry, index))));
  await keyFile.write(printKeyring(entries));
  keys.replace(entries);
}

function keysAreConfigured(): GatewayError {
  return new GatewayError(
    "request.invalid",
    "The encryption keys of this process come from its configuration, which it cannot change. Put the new key first in " +
      "GATEHOUSE_ENCRYPTION_KEYS, keep the old one after it, restart, and rotate without a new key.",
  );
}
