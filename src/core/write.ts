import { newId } from "../kernel/ids.ts";
import { appendAudit } from "./append-audit.ts";
import type { AuditAction } from "./audit-actions.ts";
import type { CatalogTransaction, TransactionOptions } from "./catalog.ts";
import type { Actor, CoreContext } from "./core-context.ts";
import type { GovernedArtifact } from "./governance-gate.ts";
import type { PlaneMessage } from "./plane-message.ts";

/** One write on its way: what the inner domain functions share, so that several of them make one transaction. */
export interface Write {
  readonly context: CoreContext;
  readonly transaction: CatalogTransaction;
  readonly actor: Actor;
  readonly nowMs: number;
  /** Sent to the gateways in this order, once the transaction has been committed. */
  readonly messages: PlaneMessage[];
  /** Set by whoever changes what a snapshot is made of; `settleArtifacts` then checks and sends the new set. */
  artifactsChanged: boolean;
  /** Set by whoever has something looked at by governance. */
  governanceAsked: boolean;
  /** Governed resources that the write takes away. */
  readonly gone: GovernedArtifact[];
}

/**
 * Runs `work` in one transaction and sends its messages only after the commit: a gateway never hears of a write that
 * did not last. A throw in `work` leaves nothing behind, audit rows included.
 */
export function inWrite<Result>(
  context: CoreContext,
  actor: Actor,
  work: (write: Write) => Promise<Result>,
): Promise<Result> {
  return write(context, actor, work, {});
}

/** As `inWrite`, for one of many that nobody waits for: what is served beside it does not wait for the disk. */
export function inBackgroundWrite<Result>(
  context: CoreContext,
  actor: Actor,
  work: (write: Write) => Promise<Result>,
): Promise<Result> {
  return write(context, actor, work, { isBackground: true });
}

async function write<Result>(
  context: CoreContext,
  actor: Actor,
  work: (write: Write) => Promise<Result>,
  options: TransactionOptions,
): Promise<Result> {
  const { result, messages, governanceAsked, gone } = await context.catalog.transaction(async (transaction) => {
    const own: Write = {
      context,
      transaction,
      actor,
      nowMs: context.clock.now(),
      messages: [],
      artifactsChanged: false,
      governanceAsked: false,
      gone: [],
    };
    return { result: await work(own), messages: own.messages, governanceAsked: own.governanceAsked, gone: own.gone };
  }, options);
  for (const message of messages) context.publish(message);
  if (gone.length > 0) context.governance?.forget(gone);
  if (governanceAsked) context.governance?.wake();
  return result;
}

/** What an audit row is about. */
export interface AuditSubject {
  readonly kind: string;
  readonly id: string;
  readonly name: string;
  readonly teamId: string;
}

/** Adds the audit row of a write to its transaction. `detail` must hold no secret's value and no key. */
export async function audit(
  write: Write,
  action: AuditAction,
  subject: AuditSubject,
  detail: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const { actor, context, transaction, nowMs } = write;
  await appendAudit(context, transaction, {
    id: newId("audit"),
    atMs: nowMs,
    actor: actor.id,
    actorType: actor.type,
    action,
    kind: subject.kind,
    resourceId: subject.id,
    resourceName: subject.name,
    teamId: subject.teamId,
    detail,
    clientAddress: actor.origin?.clientAddress ?? null,
    requestId: actor.origin?.requestId ?? null,
  });
}
