import type { ApprovalAnswer, ApprovalDecision, ApprovalQuestion } from "../core/approval-question.ts";
import type { Cancellation } from "../kernel/cancellation.ts";

/** Where policies ask whether a person has approved a call. */
export interface ApprovalDesk {
  /** Rejects with `GatewayError` when the control plane cannot be asked. */
  ask(question: ApprovalQuestion): Promise<ApprovalAnswer>;
  /** Resolves when there may be news of an approval, or after `waitMs`; rejects when it is cancelled. */
  news(id: string, waitMs: number, cancellation: Cancellation): Promise<void>;
  /** What the receiver of a webhook has said, by the token that it was given. Rejects when it comes too late. */
  answer(id: string, token: string, decision: ApprovalDecision): Promise<void>;
}
