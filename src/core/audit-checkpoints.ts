import { toGatewayError } from "../kernel/errors.ts";
import { makeCheckpoint, readCheckpoint } from "./audit-checkpoint.ts";
import type { CoreContext } from "./core-context.ts";

/** Where checkpoints are kept, outside of the database. */
export interface CheckpointPlace {
  /** The last one that was kept; undefined where there is none. */
  last(): Promise<string | undefined>;
  append(checkpoint: string): Promise<void>;
}

export interface CheckpointOptions {
  readonly everyMs: number;
  /** Absent, they stand in the log only. */
  readonly place?: CheckpointPlace | undefined;
}

/**
 * Makes a checkpoint now, at an interval and when it is disposed, where rows have come since the last one. Holds the audit
 * against the last one before, so that a database that was put back shows at the next start. What goes wrong is logged and
 * stops nothing.
 */
export function startCheckpoints(context: CoreContext, { everyMs, place }: CheckpointOptions): AsyncDisposable {
  const { clock, log } = context;
  let last: string | undefined;
  let isOpen = true;
  let cancel = (): void => {};
  let running: Promise<void> = Promise.resolve();

  const keep = async (): Promise<void> => {
    try {
      last ??= await place?.last();
      if (last !== undefined) await holdAgainst(context, last);
      const checkpoint = await makeCheckpoint(context);
      if (last !== undefined && rowOf(last) === rowOf(checkpoint)) return;
      await place?.append(checkpoint);
      last = checkpoint;
      log.info({ checkpoint }, "the audit trail up to here has a checkpoint");
    } catch (error) {
      log.error({ err: error, detail: toGatewayError(error).detail }, "no checkpoint of the audit trail could be made");
    }
  };
  const start = (): void => {
    running = keep();
    if (isOpen) cancel = clock.after(everyMs, start);
  };
  start();
  return {
    async [Symbol.asyncDispose]() {
      isOpen = false;
      cancel();
      await running;
      await keep();
    },
  };
}

/** Logs where the audit has not the row that a checkpoint stands for. */
async function holdAgainst(context: CoreContext, text: string): Promise<void> {
  const told =
    "the audit trail is not the one that its last checkpoint stands for: rows were cut off, or an older database was put back; see: gatehouse audit verify --checkpoint FILE";
  try {
    const { seq, hash } = await readCheckpoint(context, text);
    const [row] = await context.catalog.read.audit.after(seq - 1, 1);
    if (row?.seq !== seq || row.hash !== hash) context.log.error({ checkpoint: text }, told);
  } catch (error) {
    // It may be another installation's, or damaged; new ones go behind it all the same.
    context.log.error({ checkpoint: text, detail: toGatewayError(error).message }, told);
  }
}

function rowOf(checkpoint: string): string | undefined {
  return checkpoint.split(".")[2];
}
