import type { AuditEntry, AuditHead, AuditRow } from "./audit-chain.ts";
import type { Page, PageRequest } from "./page.ts";

/** What a list of the audit is narrowed to; members that are absent narrow nothing. */
export interface AuditFilter {
  readonly actor?: string | undefined;
  /** One action (`plan.created`), or all of one subject: `plan.*`. */
  readonly action?: string | undefined;
  readonly kind?: string | undefined;
  readonly resourceId?: string | undefined;
  readonly resourceName?: string | undefined;
  readonly teamId?: string | undefined;
  /** From this moment on, milliseconds since the epoch. */
  readonly fromMs?: number | undefined;
  /** Before this moment. */
  readonly toMs?: number | undefined;
  /** Only rows behind this one. */
  readonly afterSeq?: number | undefined;
}

/** The audit as the catalog keeps it. Rows are only ever added: the database refuses to change or delete one. */
export interface AuditTable {
  /**
   * Adds the row after the last one and gives it back, with its place in the chain. Writers wait for each other from
   * here to the end of the transaction, so that there is one chain, whoever writes.
   */
  insert(entry: AuditEntry): Promise<AuditRow>;
  /** In the order of the chain, or the latest first. */
  list(filter: AuditFilter, page: PageRequest, order?: "oldest" | "latest"): Promise<Page<AuditRow>>;
  /** Rows behind `seq` in the order of the chain, at most `limit`. */
  after(seq: number, limit: number): Promise<readonly AuditRow[]>;
  /** The last row's; undefined where there is none. */
  head(): Promise<AuditHead | undefined>;
}
