/** What governance does or finds, by the name that it has in analytics, each with what it says. */
export const governanceActs = {
  "compliance.changed": "A resource stands to its rules in another way than before, or has another score.",
  "compliance.seen": "How a resource stands, noted once a day for those that never change.",
  "policy.changed": "A resource follows a policy, or violates it, which it did not before.",
  "rule.broken": "A resource breaks a rule that it kept before.",
  "rule.mended": "A resource keeps a rule that it broke before.",
  "entry.quarantined": "Something that an MCP server offers is hidden, as it breaks a rule.",
  "entry.released": "Something that an MCP server offers is hidden no more.",
  "api.suspended": "Calls of a deployed API are refused, as it breaks a rule.",
  "api.resumed": "Calls of a deployed API are refused no more.",
  "exemption.granted": "A rule that a resource breaks counts no more, by an exemption.",
  "exemption.ended": "A rule that a resource breaks counts again.",
  "deployment.blocked": "A resource was not deployed or published, as it breaks a rule.",
  "webhook.notified": "A policy's webhook is told of a resource.",
  "artifact.removed": "A resource is gone.",
} as const;

export type GovernanceAct = keyof typeof governanceActs;

/** One act of governance, as analytics keeps it. A text that does not apply is empty. */
export interface GovernanceEvent {
  readonly type: "governance";
  /** Milliseconds since the epoch. */
  readonly ts: number;
  /** A UUID. */
  readonly event_id: string;
  readonly act: GovernanceAct;
  readonly team_id: string;
  /** The id of the resource; empty for one that was not there yet. */
  readonly artifact_id: string;
  readonly artifact_kind: string;
  readonly artifact_name: string;
  readonly policy: string;
  readonly ruleset: string;
  readonly rule: string;
  /** What of an MCP server it is about: `tool`, `prompt`, … */
  readonly entry_kind: string;
  readonly entry_name: string;
  readonly exemption: string;
  readonly from_status: string;
  readonly to_status: string;
  /** From 0 to 100; null where no rule applies. */
  readonly score: number | null;
  /** How many findings count. */
  readonly findings: number;
}

/** Takes acts of governance. Returns at once and never throws; what does not fit is counted among the dropped. */
export interface GovernanceSink {
  record(event: GovernanceEvent): void;
}
