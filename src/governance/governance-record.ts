import type { ComplianceRow } from "../core/compliance-tables.ts";
import type { CoreContext } from "../core/core-context.ts";
import type { GovernanceEvent, GovernanceSink } from "../core/governance-event.ts";
import type { GovernedArtifact } from "../core/governance-gate.ts";
import { uuidV7 } from "../kernel/ids.ts";
import type { ActDetails } from "./acts-of-verdict.ts";
import { countingFindings } from "./acts-of-verdict.ts";

/** Tells analytics what governance does. Nothing of it is waited for, and nothing of it can fail a write. */
export interface GovernanceRecord extends AsyncDisposable {
  /** Begins to note once a day how each resource stands. Call it at the start; again is the same. */
  start(): void;
  /** Call it after the commit of what it tells of. */
  note(artifact: GovernedArtifact, acts: readonly ActDetails[]): void;
  /** Resolves when the note of the day is written, if one is. */
  idle(): Promise<void>;
}

const dayMs = 86_400_000;
const pageRows = 200;

/**
 * A record that goes to `sink`; none is kept without one. How every resource stands is noted when a UTC day begins, and
 * before the first act of a process: so the trend knows of those that never change, and of those found before there was a
 * record. Nothing is noted of those for which no rule is.
 */
export function createGovernanceRecord(context: () => CoreContext, sink: GovernanceSink | undefined): GovernanceRecord {
  let hasStarted = false;
  let isDisposed = false;
  let notedDay = -1;
  let running: Promise<void> | undefined;
  let forget = (): void => {};

  const noteAll = (): void => {
    if (sink === undefined || isDisposed || running !== undefined) return;
    notedDay = dayOf(context().clock.now());
    running = noteStandings(context(), sink, () => isDisposed)
      .catch((error: unknown) => {
        if (!isDisposed) context().log.warn({ err: error }, "how resources stand could not be noted for the trend");
      })
      .finally(() => {
        running = undefined;
      });
  };
  const schedule = (): void => {
    const { clock } = context();
    forget = clock.after(dayMs - (clock.now() % dayMs), () => {
      noteAll();
      schedule();
    });
  };
  return {
    start() {
      if (hasStarted || isDisposed || sink === undefined) return;
      hasStarted = true;
      schedule();
    },
    note(artifact, acts) {
      if (sink === undefined || acts.length === 0) return;
      const ts = context().clock.now();
      for (const act of acts) sink.record(eventOf(artifact, act, ts));
      if (notedDay !== dayOf(ts)) noteAll();
    },
    async idle() {
      await running;
    },
    async [Symbol.asyncDispose]() {
      isDisposed = true;
      forget();
      await running;
    },
  };
}

function dayOf(ms: number): number {
  return Math.floor(ms / dayMs);
}

async function noteStandings(
  { catalog, clock }: CoreContext,
  sink: GovernanceSink,
  isOver: () => boolean,
): Promise<void> {
  let cursor: string | undefined;
  do {
    // Taken before the page is read: a verdict that comes after the reading is later than what is noted here.
    const ts = clock.now();
    const page = await catalog.read.compliance.list({}, { limit: pageRows, cursor });
    for (const row of page.rows) if (hasStanding(row)) sink.record(eventOf(artifactOf(row), seen(row), ts));
    cursor = page.next;
  } while (cursor !== undefined && !isOver());
}

function hasStanding({ status, evaluatedAtMs }: ComplianceRow): boolean {
  return evaluatedAtMs !== null && (status === "COMPLIANT" || status === "NON_COMPLIANT");
}

function seen({ status, score, policies }: ComplianceRow): ActDetails {
  const findings = countingFindings(policies);
  return { act: "compliance.seen", from_status: status, to_status: status, score, findings };
}

/** A row's resource. */
export function artifactOf({ artifactId: id, kind, name, teamId }: ComplianceRow): GovernedArtifact {
  return { id, kind, name, teamId };
}

function eventOf({ id, kind, name, teamId }: GovernedArtifact, details: ActDetails, ts: number): GovernanceEvent {
  return {
    type: "governance",
    ts,
    event_id: uuidV7(ts),
    team_id: teamId,
    artifact_id: id,
    artifact_kind: kind,
    artifact_name: name,
    policy: "",
    ruleset: "",
    rule: "",
    entry_kind: "",
    entry_name: "",
    exemption: "",
    from_status: "",
    to_status: "",
    score: null,
    findings: 0,
    ...details,
  };
}
