import type { KeyManagerRecord } from "../core/plane-message.ts";
import type { CompiledKeyManager, KeyManagerTools } from "../pipeline/define-key-manager.ts";
import { compileKeyManager } from "./compile-key-manager.ts";
import type { SigningKeys } from "./jwks-cache.ts";
import { createLocalKeys, createPemKey, createRemoteKeys } from "./jwks-cache.ts";

/** A key manager of which tokens are checked. */
export interface LiveKeyManager extends Disposable {
  readonly id: string;
  readonly record: KeyManagerRecord;
  /** The first of its issuers; what metadata tells. */
  readonly issuer: string;
  readonly compiled: CompiledKeyManager;
  readonly keys: SigningKeys;
}

/** Compiles a record and begins to fetch its keys when it is enabled. Throws `resource.invalid`. */
export function createLiveKeyManager(record: KeyManagerRecord, tools: KeyManagerTools): LiveKeyManager {
  const compiled = compileKeyManager(record, tools);
  const keys = keysOf(record, compiled, tools);
  if (record.enabled) void keys.warm();
  return {
    id: record.id,
    record,
    issuer: compiled.rules.issuers[0] ?? "",
    compiled,
    keys,
    [Symbol.dispose]: () => keys[Symbol.dispose](),
  };
}

function keysOf(record: KeyManagerRecord, { keys }: CompiledKeyManager, tools: KeyManagerTools): SigningKeys {
  const jose = () => import("jose");
  switch (keys.type) {
    case "local":
      return createLocalKeys(keys.keys, jose);
    case "pem":
      return createPemKey(keys.pem, keys.algorithm, jose);
    case "remote":
      return createRemoteKeys({ ...tools, name: record.name, source: keys, jose });
  }
}
