import type { PlaneMessage } from "../core/plane-message.ts";
import { toGatewayError } from "../kernel/errors.ts";
import type { Log } from "../kernel/log.ts";
import type { CompileSnapshotOptions } from "../pipeline/compile-snapshot.ts";
import { compileSnapshot } from "../pipeline/compile-snapshot.ts";
import type { CredentialIndex } from "../pipeline/credential-index.ts";
import type { Snapshot } from "../pipeline/snapshot.ts";

/** The state of one gateway: what it serves, and whom it knows. Only messages change it. */
export interface DataPlane extends AsyncDisposable {
  /** Takes a message of the control plane over; holds for every request that starts after it. */
  apply(message: PlaneMessage): void;
  /** The current snapshot for one request; call `release` when the request has ended. Undefined before the first. */
  acquire(): SnapshotLease | undefined;
  readonly credentials: CredentialIndex;
  /** True once a snapshot has been loaded, unless it is suspended. */
  readonly ready: boolean;
  /** True while nobody may be served although there is a snapshot, because it is too old. */
  readonly suspended: boolean;
  /** Lets nobody start a request, or lets them again. Requests that run go on. */
  suspend(suspended: boolean): void;
  /** Calls back with the current snapshot, if there is one, and with each new one before any request can see it. */
  onSnapshot(listener: (snapshot: Snapshot) => void): void;
}

export interface SnapshotLease {
  readonly snapshot: Snapshot;
  release(): void;
}

export interface DataPlaneOptions extends CompileSnapshotOptions {
  readonly credentials: CredentialIndex & { apply(message: PlaneMessage): void };
  /** Hears of key managers, clients and revocations. */
  readonly identity?: { apply(message: PlaneMessage): void };
  readonly log: Log;
}

/**
 * A gateway's state. A set of artifacts that does not compile is refused here too and the last good snapshot goes on
 * serving: the control plane has compiled it before, so that is a fault of ours, not of an admin.
 */
export function createDataPlane(options: DataPlaneOptions): DataPlane {
  const listeners: ((snapshot: Snapshot) => void)[] = [];
  let current: CountedSnapshot | undefined;
  let suspended = false;

  const swap = (snapshot: Snapshot): void => {
    const old = current;
    try {
      for (const listener of listeners) listener(snapshot);
    } catch (error) {
      void countedSnapshot(snapshot, options.log).retire();
      throw error;
    }
    current = countedSnapshot(snapshot, options.log);
    void old?.retire();
  };

  return {
    credentials: options.credentials,
    get ready() {
      return current !== undefined && !suspended;
    },
    get suspended() {
      return suspended;
    },
    suspend(next) {
      suspended = next;
    },
    onSnapshot(listener) {
      listeners.push(listener);
      if (current !== undefined) listener(current.snapshot);
    },
    apply(message) {
      if (message.type !== "artifacts") {
        options.credentials.apply(message);
        options.identity?.apply(message);
        return;
      }
      if (current?.snapshot.configHash === message.set.hash) return;
      try {
        swap(compileSnapshot(message.set, options));
      } catch (error) {
        const { detail, message: text } = toGatewayError(error);
        options.log.error(
          { hash: message.set.hash, text, detail, err: error },
          "a snapshot was refused; the last one goes on",
        );
      }
    },
    acquire: () => (suspended ? undefined : current?.lease()),
    async [Symbol.asyncDispose]() {
      const last = current;
      current = undefined;
      if (last === undefined) return;
      // Requests whose clients have just gone are still being written down: their rows must not be lost.
      const patience = Promise.withResolvers<void>();
      const cancel = options.tools.clock.after(lastRequestsMs, patience.resolve);
      await Promise.race([last.retire(), patience.promise]);
      cancel();
    },
  };
}

const lastRequestsMs = 2_000;

interface CountedSnapshot {
  readonly snapshot: Snapshot;
  lease(): SnapshotLease;
  /** Stops what runs without requests, and disposes the snapshot when its last request has ended; resolves then. */
  retire(): Promise<void>;
}

function countedSnapshot(snapshot: Snapshot, log: Log): CountedSnapshot {
  let running = 0;
  let retired = false;
  const gone = Promise.withResolvers<void>();
  const disposeWhenIdle = async (): Promise<void> => {
    if (!retired || running > 0) return;
    try {
      await snapshot.dispose();
    } catch (error) {
      log.error({ err: error }, "a snapshot failed to dispose");
    }
    gone.resolve();
  };
  const release = (): void => {
    running -= 1;
    void disposeWhenIdle();
  };
  const lease: SnapshotLease = { snapshot, release };
  return {
    snapshot,
    lease() {
      running += 1;
      return lease;
    },
    retire() {
      retired = true;
      snapshot.retire();
      void disposeWhenIdle();
      return gone.promise;
    },
  };
}
