import { isDeepStrictEqual } from "node:util";
import type { ClientRecord, KeyManagerRecord, PlaneMessage } from "../core/plane-message.ts";
import { toGatewayError } from "../kernel/errors.ts";
import type { KeyManagerTools } from "../pipeline/define-key-manager.ts";
import type { LiveKeyManager } from "./live-key-manager.ts";
import { createLiveKeyManager } from "./live-key-manager.ts";
import type { RevocationIndex } from "./revocation-index.ts";
import { createRevocationIndex } from "./revocation-index.ts";

/** What a gateway knows of OAuth; only messages change it. */
export interface IdentityState extends Disposable {
  apply(message: PlaneMessage): void;
  /** The key manager of that id as it is now. */
  keyManager(id: string): LiveKeyManager | undefined;
  byName(name: string): LiveKeyManager | undefined;
  /** The enabled ones of these names, in this order; all that are enabled when undefined. */
  accepted(names: readonly string[] | undefined): readonly LiveKeyManager[];
  client(keyManagerId: string, clientId: string): ClientRecord | undefined;
  readonly revocations: RevocationIndex;
}

/**
 * Empty until it is told. An `identity` message replaces everything in one step; key managers whose configuration is the
 * same keep the keys that they have fetched. One that does not compile here is logged, and its tokens are refused.
 */
export function createIdentityState(tools: KeyManagerTools): IdentityState {
  let managers = new Map<string, LiveKeyManager>();
  let clients = new Map<string, Map<string, ClientRecord>>();
  let revocations = createRevocationIndex();

  const live = (record: KeyManagerRecord): LiveKeyManager | undefined => {
    const before = managers.get(record.id);
    if (before !== undefined && isDeepStrictEqual(before.record, record)) return before;
    try {
      return createLiveKeyManager(record, tools);
    } catch (error) {
      const { message, issues } = toGatewayError(error);
      tools.log.error({ keyManager: record.name, text: message, issues }, "a key manager was refused");
      return undefined;
    }
  };
  const put = (record: KeyManagerRecord): void => {
    const before = managers.get(record.id);
    const next = live(record);
    if (next === before) return;
    before?.[Symbol.dispose]();
    if (next === undefined) managers.delete(record.id);
    else managers.set(record.id, next);
  };
  const replaceAll = (message: Extract<PlaneMessage, { type: "identity" }>): void => {
    const next = new Map<string, LiveKeyManager>();
    for (const record of message.keyManagers) {
      const manager = live(record);
      if (manager !== undefined) next.set(record.id, manager);
    }
    for (const [id, manager] of managers) if (next.get(id) !== manager) manager[Symbol.dispose]();
    managers = next;
    clients = new Map();
    for (const record of message.clients) putClient(clients, record);
    revocations = createRevocationIndex();
    for (const record of message.revocations) revocations.put(record, tools.clock.now());
  };

  return {
    keyManager: (id) => managers.get(id),
    byName: (name) => [...managers.values()].find(({ record }) => record.name === name),
    accepted(names) {
      const enabled = [...managers.values()].filter(({ record }) => record.enabled);
      if (names === undefined) return enabled;
      return names.flatMap((name) => enabled.find(({ record }) => record.name === name) ?? []);
    },
    client: (keyManagerId, clientId) => clients.get(keyManagerId)?.get(clientId),
    get revocations() {
      return revocations;
    },
    apply(message) {
      switch (message.type) {
        case "identity":
          return replaceAll(message);
        case "key-manager.put":
          return put(message.record);
        case "key-manager.removed":
          managers.get(message.id)?.[Symbol.dispose]();
          managers.delete(message.id);
          return;
        case "client.put":
          return putClient(clients, message.record);
        case "client.removed":
          clients.get(message.keyManagerId)?.delete(message.clientId);
          return;
        case "revocation.put":
          return revocations.put(message.record, tools.clock.now());
        default: // what is not about OAuth
      }
    },
    [Symbol.dispose]() {
      for (const manager of managers.values()) manager[Symbol.dispose]();
      managers.clear();
    },
  };
}

function putClient(clients: Map<string, Map<string, ClientRecord>>, record: ClientRecord): void {
  const ofManager = clients.get(record.keyManagerId) ?? new Map<string, ClientRecord>();
  clients.set(record.keyManagerId, ofManager);
  ofManager.set(record.clientId, record);
}
