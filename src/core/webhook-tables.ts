import type { Id } from "../kernel/ids.ts";
import type { OwnerFilter } from "./catalog.ts";
import type { Page, PageRequest } from "./page.ts";

/** The part of the catalog that holds what webhooks are told. */
export interface WebhookTables {
  readonly webhookDeliveries: WebhookDeliveryTable;
}

export const webhookDeliveryStates = ["pending", "delivered", "dead"] as const;
/** `dead`: nobody has taken it for as long as it was tried; it is kept to be seen. */
export type WebhookDeliveryState = (typeof webhookDeliveryStates)[number];

/** One message to one webhook. */
export interface WebhookDeliveryRow {
  /** Also the message's `webhook-id`: the same at each try, so that receivers know it again. */
  readonly id: Id<"webhookDelivery">;
  /** What it is about: `Alert/tool-errors`. */
  readonly source: string;
  readonly teamId: string;
  readonly url: string;
  /** The secret that it is signed with, by name or by the id of an inline value; null where it is not signed. */
  readonly secret: string | null;
  /** JSON, as it is sent. */
  readonly body: string;
  readonly state: WebhookDeliveryState;
  readonly attempts: number;
  /** When it is tried next, while it is pending. */
  readonly nextAtMs: number;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
  readonly createdAtMs: number;
  readonly endedAtMs: number | null;
}

/** Which deliveries are listed. */
export interface WebhookDeliveryFilter extends Pick<OwnerFilter, "teamIds"> {
  readonly state?: WebhookDeliveryState;
  readonly source?: string;
}

export interface WebhookDeliveryTable {
  insert(row: WebhookDeliveryRow): Promise<void>;
  /** Pending ones in the order of their next try, at most `limit`. */
  next(limit: number): Promise<readonly WebhookDeliveryRow[]>;
  /** Moves the next try of a pending one to `untilMs`; false where another process was first. */
  claim(row: WebhookDeliveryRow, untilMs: number): Promise<boolean>;
  /** Writes how a try went: state, attempts, times and what was last. */
  update(row: WebhookDeliveryRow): Promise<void>;
  find(id: string): Promise<WebhookDeliveryRow | undefined>;
  /** Newest first. */
  list(filter: WebhookDeliveryFilter, page: PageRequest): Promise<Page<WebhookDeliveryRow>>;
  /** Deletes some that ended before; returns how many. */
  deleteEnded(beforeMs: number, limit: number): Promise<number>;
}
