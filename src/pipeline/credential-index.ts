import type { CredentialRecord, SubscriptionRecord } from "../core/plane-message.ts";

/**
 * The data plane's own copy of all API keys, beside the snapshot and kept up by messages: a lookup is a map access,
 * never a query. Holds only hashes.
 */
export interface CredentialIndex {
  /** The record of the key with this public id. Expiry and status are the caller's to judge. */
  find(publicId: string): CredentialRecord | undefined;
  /** True when `key` (the whole text that the client sent) hashes to the record's hash; constant time. */
  matches(record: CredentialRecord, key: string): boolean;
  /**
   * The record that `key` has matched before, if it stands unchanged: spares the lookup and the HMAC. Undefined says
   * nothing about the key.
   */
  recognise(key: string): CredentialRecord | undefined;
  /** The application's subscription to the API, in whatever state; undefined when there is none. */
  subscription(applicationId: string, apiId: string): Pick<SubscriptionRecord, "planId" | "state"> | undefined;
  /** Notes a use; flushed to the control plane in batches. */
  used(keyId: string, atMs: number): void;
}
