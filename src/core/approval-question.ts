import type { Environment } from "./environment.ts";

/** Who makes the call that waits, as approvers see it. */
export interface ApprovalHolder {
  readonly type: string;
  readonly applicationId?: string;
  readonly keyId?: string;
  readonly clientId?: string;
  readonly subject?: string;
}

/** What a gateway asks when a call needs a person's approval. Plain JSON. */
export interface ApprovalQuestion {
  readonly apiId: string;
  readonly environment: Environment;
  /** The policy that asks. */
  readonly place: string;
  /** Names the policy's configuration: an approval under another one is none. */
  readonly policyVersion: string;
  /** Names the caller, so that no other may use the approval. */
  readonly caller: string;
  readonly holder: ApprovalHolder;
  readonly tool: string;
  /** SHA-256, hex. */
  readonly argumentsHash: string;
  readonly shown: Readonly<Record<string, unknown>> | null;
  /** SHA-256 of the token by which the webhook's receiver may answer, hex. */
  readonly answerHash: string | null;
  readonly expiresAfterMs: number;
  readonly grantMs: number;
  /** The approval that the call comes back for; absent, one for this call is looked for, or made. */
  readonly approvalId?: string;
  /** The exchange that asks, for the audit. */
  readonly exchangeId: string;
}

/** What the control plane says to it. Plain JSON. */
export type ApprovalAnswer =
  | { readonly type: "pending"; readonly id: string; readonly isNew: boolean; readonly expiresAtMs: number }
  /** This call may go up now, once. */
  | { readonly type: "granted"; readonly id: string }
  | { readonly type: "denied"; readonly id: string; readonly reason: string | null }
  /** The approval that was named is used, expired, or another call's. */
  | { readonly type: "gone" }
  /** Too many calls wait already. */
  | { readonly type: "full" };

/** What a person, or the receiver of a webhook, says. */
export interface ApprovalDecision {
  readonly decision: "approve" | "deny";
  readonly reason?: string | undefined;
}
