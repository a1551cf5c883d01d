import type { CatalogTransaction } from "../core/catalog.ts";
import type { ComplianceRow } from "../core/compliance-tables.ts";
import type { CoreContext } from "../core/core-context.ts";
import type { GovernanceSink } from "../core/governance-event.ts";
import type { GovernanceGate, TrialVerdict, Verdict } from "../core/governance-gate.ts";
import type { GovernedState } from "../core/governed-kinds.ts";
import { heldEntries } from "../core/mcp-quarantine.ts";
import { GatewayError } from "../kernel/errors.ts";
import { blockedError } from "./blocked-error.ts";
import { createComplianceQueue } from "./compliance-queue.ts";
import { createExemptionWatch } from "./exemption-watch.ts";
import type { GovernanceRecord } from "./governance-record.ts";
import { artifactOf, createGovernanceRecord } from "./governance-record.ts";
import { blocking, judge } from "./judge.ts";
import { judgeDeployed } from "./judge-deployed.ts";
import { readRuleBook } from "./rule-book.ts";
import type { RulesetEvaluator } from "./ruleset-evaluator.ts";

/** Holds resources against rules, those of the catalog's queue one after another. */
export interface Governance extends GovernanceGate, AsyncDisposable {
  /** Resolves when nothing waits any more, or the queue rests because the evaluator cannot run. */
  idle(): Promise<void>;
}

/**
 * Governance over a catalog. The queue is the catalog's own, so that a restart loses nothing of it: call `wake` once at
 * the start. What it does and finds goes to `sink`.
 */
export function createGovernance(
  context: () => CoreContext,
  evaluator: RulesetEvaluator,
  sink?: GovernanceSink,
): Governance {
  const record = createGovernanceRecord(context, sink);
  const lookAt = async (row: ComplianceRow) => {
    const { catalog, clock } = context();
    const { read } = catalog;
    const resource = await read.resources.findById(row.artifactId);
    if (resource === undefined) return undefined;
    const book = await readRuleBook(read, []);
    const parts = { read, evaluator, book, nowMs: clock.now(), before: row.policies };
    return judgeDeployed(parts, resource, row.suspension);
  };
  const queue = createComplianceQueue(context, lookAt, (row, acts) => record.note(artifactOf(row), acts));

  const exemptions = createExemptionWatch(context, queue.wake);

  return {
    wake() {
      record.start();
      exemptions.look();
      queue.wake();
    },
    async idle() {
      await exemptions.idle();
      await queue.idle();
      await record.idle();
    },
    forget(gone) {
      for (const artifact of gone) record.note(artifact, [{ act: "artifact.removed" }]);
    },
    async review(subjects, states, pending) {
      const { catalog, clock } = context();
      const book = await readRuleBook(catalog.read, pending);
      const isBlocking = ({ spec }: (typeof book.policies)[number]) =>
        spec.actions.some(({ state, type }) => type === "block" && states.includes(state));
      const policies = book.policies.filter(isBlocking);
      const parts = { read: catalog.read, evaluator, book: { ...book, policies }, nowMs: clock.now(), isUrgent: true };
      const verdicts: Verdict[] = [];
      for (const subject of policies.length === 0 ? [] : subjects) verdicts.push(await judge(parts, subject));
      const fault = blockedError(verdicts, policies, states);
      if (fault === undefined) return;
      for (const verdict of verdicts) await noteBlocked(catalog.read, record, { verdict, policies, states });
      throw fault;
    },
    async checkRuleset(name, pending) {
      const book = await readRuleBook(context().catalog.read, pending);
      const document = { text: "{}" };
      try {
        await evaluator.evaluate({ bundle: (await book.bundle(name)).bundle, document, isUrgent: true });
      } catch (error) {
        throw ofSpec(error);
      }
    },
    async tryOut(subjects, pending) {
      const { catalog, clock } = context();
      const book = await readRuleBook(catalog.read, pending);
      const parts = { read: catalog.read, evaluator, book, nowMs: clock.now(), isUrgent: true };
      const verdicts: TrialVerdict[] = [];
      for (const subject of subjects) {
        const resource = subject.id === undefined ? undefined : await catalog.read.resources.findById(subject.id);
        const verdict =
          resource === undefined
            ? { ...(await judge(parts, subject)), suspension: null }
            : await judgeDeployed(parts, resource, null);
        const { suspension: suspended, ...found } = verdict;
        verdicts.push({ ...found, suspended, quarantined: heldEntries(found) });
      }
      return verdicts;
    },
    async [Symbol.asyncDispose]() {
      await exemptions[Symbol.asyncDispose]();
      await evaluator[Symbol.asyncDispose](); // what is being looked at is given up, and waits for the next start
      await queue[Symbol.asyncDispose]();
      await record[Symbol.asyncDispose]();
    },
  };
}

interface Review {
  readonly verdict: Verdict;
  readonly policies: Parameters<typeof blockedError>[1];
  readonly states: readonly GovernedState[];
}

/** Each rule of each policy that blocks it; a resource that is not there yet belongs to nobody. */
async function noteBlocked(
  read: CatalogTransaction,
  record: GovernanceRecord,
  { verdict: { kind, name, policies: results, score, status }, policies, states }: Review,
): Promise<void> {
  const acts = results.flatMap(({ policy, rulesets }) => {
    const spec = policies.find((each) => each.name === policy)?.spec;
    if (spec === undefined) return [];
    return rulesets.flatMap((result) =>
      [...Map.groupBy(blocking(spec, states, [result]), ({ rule }) => rule)].map(([rule, { length: findings }]) => {
        const about = { policy, ruleset: result.ruleset, rule, findings };
        return { act: "deployment.blocked", to_status: status, score, ...about } as const;
      }),
    );
  });
  const known = acts.length === 0 ? undefined : await read.resources.find(kind, name);
  record.note(known ?? { id: "", kind, name, teamId: "" }, acts);
}

/** A ruleset's faults by their place in the resource that holds it. */
function ofSpec(error: unknown): unknown {
  if (!(error instanceof GatewayError) || error.code !== "resource.invalid") return error;
  const issues = error.issues.map(({ path, message }) => ({
    path: path === "" ? "spec.ruleset" : `spec.ruleset.${path}`,
    message,
  }));
  return new GatewayError(error.code, error.message, { issues, cause: error });
}
