import type { CoreContext } from "../core/core-context.ts";
import { exemption } from "../core/exemption.ts";

/** Has resources looked at again when exemptions of theirs end, also those that ended while no process ran. */
export interface ExemptionWatch extends AsyncDisposable {
  /** Looks now, and again when the next one ends. Call it at the start, and after exemptions have changed. */
  look(): void;
  /** Resolves when it is not looking. */
  idle(): Promise<void>;
}

/** The longest wait in milliseconds: a clock that was set is noticed by then. */
const longestMs = 3_600_000;
/** How long it waits after it could not look, in milliseconds. */
const restMs = 30_000;

/** Watches the exemptions of a catalog; `onEnqueued` is called when something is to be looked at again. */
export function createExemptionWatch(context: () => CoreContext, onEnqueued: () => void): ExemptionWatch {
  let running: Promise<void> | undefined;
  let isAsked = false;
  let isDisposed = false;
  let forget = (): void => {};
  const dealtWith = new Set<string>();

  const once = async (): Promise<void> => {
    isAsked = false;
    const { clock, log } = context();
    const waitMs = await enqueueEnded(context(), dealtWith, onEnqueued).catch((error: unknown) => {
      if (!isDisposed) log.warn({ err: error }, "ends of exemptions are looked for in a while");
      return restMs;
    });
    forget();
    if (waitMs !== undefined && !isDisposed) forget = clock.after(waitMs, look);
  };
  const look = (): void => {
    isAsked = true;
    if (isDisposed || running !== undefined) return;
    running = once().finally(() => {
      running = undefined;
      if (isAsked) look();
    });
  };
  return {
    look,
    async idle() {
      while (running !== undefined) await running;
    },
    async [Symbol.asyncDispose]() {
      isDisposed = true;
      await running;
      forget();
    },
  };
}

/** The milliseconds until one ends next, at most an hour; undefined where none does. */
async function enqueueEnded(
  { catalog, clock }: CoreContext,
  dealtWith: Set<string>,
  onEnqueued: () => void,
): Promise<number | undefined> {
  const nowMs = clock.now();
  const [ids, ended]: [string[], string[]] = [[], []];
  let waitMs: number | undefined;
  for (const { name, spec } of await catalog.read.resources.all(exemption.kind)) {
    const { artifact, expiresAt } = exemption.spec.safeParse(spec).data ?? {};
    if (artifact === undefined || expiresAt === undefined) continue;
    const endMs = Date.parse(expiresAt);
    if (endMs > nowMs) {
      waitMs = Math.min(endMs - nowMs, waitMs ?? longestMs);
      continue;
    }
    const end = JSON.stringify([name, artifact, endMs]);
    if (dealtWith.has(end)) continue;
    ended.push(end);
    const resource = await catalog.read.resources.find(artifact.kind, artifact.name);
    const row = resource && (await catalog.read.compliance.find(resource.id));
    const isCounted = row?.policies.some(({ rulesets }) =>
      rulesets.some(({ findings }) => findings.some((finding) => finding.exemption === name)),
    );
    // One that waits may be looked at already, as of before the end.
    if (row !== undefined && (isCounted === true || row.dueAtMs !== null)) ids.push(row.artifactId);
  }
  if (ids.length > 0) {
    await catalog.transaction(({ compliance }) => compliance.enqueue({ ids }, nowMs));
    onEnqueued();
  }
  for (const end of ended) dealtWith.add(end);
  return waitMs;
}
