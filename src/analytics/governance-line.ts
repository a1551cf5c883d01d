import type { GovernanceEvent } from "../core/governance-event.ts";
import { putBytes, putEnd, putJson } from "./line-values.ts";

const governanceBegin = Buffer.from('["governance"');

/** Puts the line of an act of governance at `at`, as `EventLineWriter` says. They are too few for more care. */
export function putGovernanceLine(e: GovernanceEvent, memory: Buffer, at: number): number {
  const values = [
    e.ts,
    e.event_id,
    e.act,
    e.team_id,
    e.artifact_id,
    e.artifact_kind,
    e.artifact_name,
    e.policy,
    e.ruleset,
    e.rule,
    e.entry_kind,
    e.entry_name,
    e.exemption,
    e.from_status,
    e.to_status,
    e.score,
    e.findings,
  ];
  let to = putBytes(memory, at, governanceBegin);
  for (const value of values) to = putJson(memory, to, value);
  return putEnd(memory, to);
}
