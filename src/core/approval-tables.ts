import type { Id } from "../kernel/ids.ts";
import type { ApprovalHolder } from "./approval-question.ts";
import type { OwnerFilter } from "./catalog.ts";
import type { Environment } from "./environment.ts";
import type { Page, PageRequest } from "./page.ts";

/** The part of the catalog that holds calls which wait for a person. */
export interface ApprovalTables {
  readonly approvals: ApprovalTable;
}

/** `used` is the end of an approved one: it lets one call through. */
export type ApprovalState = "pending" | "approved" | "denied" | "used";

/** One call that a person is asked about. */
export interface ApprovalRow {
  readonly id: Id<"approval">;
  readonly apiId: string;
  readonly apiName: string;
  readonly teamId: string;
  readonly environment: Environment;
  /** The policy that asks: `mcp_…/policies[0]`. */
  readonly place: string;
  readonly tool: string;
  /** SHA-256 of the arguments, hex. */
  readonly argumentsHash: string;
  /** SHA-256 of all that an approval is bound to, hex: server, environment, caller, tool, arguments, policy. */
  readonly fingerprint: string;
  /** SHA-256 of the caller's name, hex: whose calls wait is counted by it. */
  readonly callerHash: string;
  readonly holder: ApprovalHolder;
  /** What of the arguments approvers may see; null is nothing. */
  readonly shown: Readonly<Record<string, unknown>> | null;
  /** SHA-256 of the token by which a webhook's receiver answers, hex; null where nobody has one. */
  readonly answerHash: string | null;
  /** How long an approval holds from the decision on, in milliseconds. */
  readonly grantMs: number;
  readonly state: ApprovalState;
  readonly reason: string | null;
  readonly decidedBy: string | null;
  readonly createdAtMs: number;
  readonly decidedAtMs: number | null;
  /** When the state means nothing any more: nobody has answered, the approval was not used, the refusal is over. */
  readonly expiresAtMs: number;
}

/** Which approvals are listed. Expired ones are none of the open. */
export interface ApprovalFilter extends Pick<OwnerFilter, "teamIds"> {
  readonly apiId?: string;
  /** Only those that wait at this moment. */
  readonly openAtMs?: number;
}

export interface ApprovalTable {
  insert(row: ApprovalRow): Promise<void>;
  /** Writes state, reason, decider and times where the stored state is `expected`; false when it is not. */
  update(row: ApprovalRow, expected: ApprovalState): Promise<boolean>;
  find(id: string): Promise<ApprovalRow | undefined>;
  /** The one that a call with this fingerprint stands under: not used, not expired. */
  findLive(fingerprint: string, nowMs: number): Promise<ApprovalRow | undefined>;
  /** How many wait: of an API, or of one caller of it. */
  countOpen(apiId: string, nowMs: number, callerHash?: string): Promise<number>;
  /** The newest first. */
  list(filter: ApprovalFilter, page: PageRequest): Promise<Page<ApprovalRow>>;
  /** Deletes some that expired before then, at most `limit`; says how many. */
  deleteExpired(beforeMs: number, limit: number): Promise<number>;
}
