import type { ComplianceRow } from "../core/compliance-tables.ts";
import type { Actor, CoreContext } from "../core/core-context.ts";
import { heldEntries, settleQuarantine } from "../core/mcp-quarantine.ts";
import { settleSuspension } from "../core/suspension.ts";
import { inBackgroundWrite } from "../core/write.ts";
import { toGatewayError } from "../kernel/errors.ts";
import type { ActDetails } from "./acts-of-verdict.ts";
import { actsOfVerdict } from "./acts-of-verdict.ts";
import type { RunningVerdict } from "./judge-deployed.ts";
import { tellCompliance } from "./tell-compliance.ts";

/** Works off the catalog's queue of resources that are to be looked at. */
export interface ComplianceQueue extends AsyncDisposable {
  wake(): void;
  /** Resolves when nothing waits any more, or the queue rests. */
  idle(): Promise<void>;
}

/** How long a resource rests that cannot be evaluated, in milliseconds. */
const restMs = 30_000;
/** Resources one after another that cannot be evaluated, and then it is not their fault: the queue rests. */
const mostInVain = 3;

/**
 * One resource after another, the one that has waited longest first; what waits outlives the process. One that ends the
 * evaluator rests, and the others go on. `onKept` hears of each verdict that was kept, and what it has changed.
 */
export function createComplianceQueue(
  context: () => CoreContext,
  lookAt: (row: ComplianceRow) => Promise<RunningVerdict | undefined>,
  onKept: (row: ComplianceRow, acts: readonly ActDetails[]) => void = () => {},
): ComplianceQueue {
  let running: Promise<void> | undefined;
  let isAsked = false;
  let isDisposed = false;
  let forgetRest = (): void => {};
  const resting = new Set<string>();

  const workOff = async (): Promise<void> => {
    const { compliance } = context().catalog.read;
    const next = () => compliance.next([...resting]);
    isAsked = false;
    let inVain = 0;
    for (let row = await next(); row !== undefined && !isDisposed; row = await next()) {
      inVain = (await settle(context(), row, { lookAt, onKept })) ? 0 : inVain + 1;
      if (inVain === 0) continue;
      resting.add(row.artifactId);
      rest();
      if (inVain === mostInVain) return;
    }
  };
  const rest = (): void => {
    if (isDisposed) return;
    forgetRest();
    forgetRest = context().clock.after(restMs, () => {
      resting.clear();
      wake();
    });
  };
  const wake = (): void => {
    isAsked = true;
    if (isDisposed || running !== undefined) return;
    running = workOff()
      .catch((error: unknown) => {
        if (!isDisposed) context().log.warn({ err: error }, "governance rests, and goes on in a while");
        rest();
      })
      .finally(() => {
        running = undefined;
        if (isAsked) wake();
      });
  };
  return {
    wake,
    async idle() {
      while (running !== undefined) await running;
    },
    async [Symbol.asyncDispose]() {
      isDisposed = true;
      forgetRest();
      await running;
    },
  };
}

interface QueueWork {
  readonly lookAt: (row: ComplianceRow) => Promise<RunningVerdict | undefined>;
  readonly onKept: (row: ComplianceRow, acts: readonly ActDetails[]) => void;
}

const system: Actor = { type: "system", id: "governance" };

/** False where it cannot be done now, and the row waits on. */
async function settle(context: CoreContext, row: ComplianceRow, { lookAt, onKept }: QueueWork): Promise<boolean> {
  const { catalog, clock, log } = context;
  const { artifactId, asked, kind, name } = row;
  try {
    const verdict = await lookAt(row);
    const evaluatedAtMs = clock.now();
    const acts = await inBackgroundWrite(context, system, async (write): Promise<readonly ActDetails[]> => {
      const { compliance } = write.transaction;
      if (verdict === undefined) {
        await compliance.pass(artifactId, asked);
        return [];
      }
      const { status, score, policies, suspension } = verdict;
      await compliance.keep({ ...row, status, score, policies, suspension, evaluatedAtMs });
      await settleQuarantine(write, { ...row, policies }, heldEntries(row));
      await settleSuspension(write, row, suspension);
      const told = await tellCompliance(write, row, { policies, suspension });
      return [...actsOfVerdict(row, verdict), ...told.map((policy) => ({ act: "webhook.notified", policy }) as const)];
    });
    onKept(row, acts);
    context.webhooks?.wake();
    return true;
  } catch (error) {
    const fault = toGatewayError(error);
    log.warn({ err: fault, artifact: `${kind}/${name}` }, "a resource could not be held against the rules");
    if (fault.code === "governance.unavailable" || fault.code === "store.unavailable") return false;
    await catalog.transaction(({ compliance }) => compliance.pass(artifactId, asked));
    return true;
  }
}
