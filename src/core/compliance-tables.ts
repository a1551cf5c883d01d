import type { OwnerFilter } from "./catalog.ts";
import type { FindingSeverity } from "./governed-kinds.ts";
import type { PinKind } from "./mcp-definition.ts";
import type { Page, PageRequest } from "./page.ts";

/** The part of the catalog that holds how resources stand to the rules, and which are to be looked at. */
export interface ComplianceTables {
  readonly compliance: ComplianceTable;
}

export const complianceStatuses = ["COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE", "PENDING"] as const;
export type ComplianceStatus = (typeof complianceStatuses)[number];

/** A finding as it is kept. */
export interface KeptFinding {
  readonly rule: string;
  readonly severity: FindingSeverity;
  readonly message: string;
  /** `spec.tools[2].description`; empty for the whole. */
  readonly path: string;
  /** From 1, in the document's indented JSON. */
  readonly line: number;
  readonly howToFix: string | null;
  readonly documentationUrl: string | null;
  /** The name of the exemption that keeps it from counting. */
  readonly exemption: string | null;
  /** What of an MCP server it is about; absent where it is about the whole, or something else. */
  readonly entry?: McpEntry;
  /** The policy wants that entry in quarantine. */
  readonly isHeld?: boolean;
}

/** One thing that an MCP server offers. */
export interface McpEntry {
  readonly kind: PinKind;
  /** A tool's or prompt's name, a URI. */
  readonly name: string;
}

/** How a resource stands to one ruleset of one policy. */
export interface RulesetResult {
  readonly ruleset: string;
  readonly status: "PASSED" | "FAILED" | "UNAPPLIED";
  /** SHA-256 of what was evaluated and against what: the same again needs no evaluation. */
  readonly inputHash: string;
  readonly rules: number;
  readonly findings: readonly KeptFinding[];
  /** Rules that could not be evaluated, and why; those with more findings than are kept, and how many. */
  readonly faults: readonly { readonly rule: string | null; readonly message: string }[];
}

/** How a resource stands to one policy. */
export interface PolicyResult {
  readonly policy: string;
  readonly status: "FOLLOWED" | "VIOLATED" | "UNAPPLIED";
  readonly rulesets: readonly RulesetResult[];
}

/** The policies, and rules of theirs, for which gateways answer no call of an API. Plain JSON. */
export interface Suspension {
  readonly policies: readonly string[];
  readonly rules: readonly string[];
}

/** One resource's row. */
export interface ComplianceRow {
  readonly artifactId: string;
  readonly kind: string;
  readonly name: string;
  readonly teamId: string;
  /** What was found last; PENDING before the first time. */
  readonly status: ComplianceStatus;
  /** From 0 to 100; null where no rule applies. */
  readonly score: number | null;
  readonly policies: readonly PolicyResult[];
  /** What keeps its deployed revision from answering; null where nothing does. */
  readonly suspension: Suspension | null;
  readonly evaluatedAtMs: number | null;
  /** Since when it waits to be looked at; null where it does not. */
  readonly dueAtMs: number | null;
  /** Counts how often it was asked to be looked at. */
  readonly asked: number;
}

/** Which rows are listed. */
export interface ComplianceFilter extends Pick<OwnerFilter, "teamIds"> {
  readonly kind?: string;
  readonly status?: ComplianceStatus;
}

export interface ComplianceTable {
  /** Has resources looked at: these, or all of some kinds. What waits already keeps its place. */
  enqueue(
    what: { readonly ids: readonly string[] } | { readonly kinds: readonly string[] },
    nowMs: number,
  ): Promise<void>;
  /** The one that has waited longest, of all but those with these artifact ids. */
  next(except?: readonly string[]): Promise<ComplianceRow | undefined>;
  /** Keeps what was found; the row waits on where it was asked again since `asked`. Nothing where the resource is gone. */
  keep(row: Omit<ComplianceRow, "dueAtMs">): Promise<void>;
  /** Leaves one out of the queue whose turn came to nothing, unless it was asked again. */
  pass(artifactId: string, asked: number): Promise<void>;
  /** What is suspended, by artifact id. */
  suspended(): Promise<ReadonlyMap<string, Suspension>>;
  find(artifactId: string): Promise<ComplianceRow | undefined>;
  /** In the order of id. */
  list(filter: ComplianceFilter, page: PageRequest): Promise<Page<ComplianceRow>>;
}
