import type { Id } from "../kernel/ids.ts";
import type { AlertStanding } from "./alert-state.ts";
import type { OwnerFilter } from "./catalog.ts";
import type { Page, PageRequest } from "./page.ts";

/** The part of the catalog that holds how alerts stand, and their history. */
export interface AlertTables {
  readonly alerts: AlertTable;
}

/** How one alert stands. Gone with the alert. */
export interface AlertStateRow extends AlertStanding {
  readonly alertId: string;
  /** What was seen last; null where there was no value. */
  readonly value: number | null;
  /** The code of what kept it from being looked at last time. */
  readonly error: string | null;
  readonly evaluatedAtMs: number | null;
  /** When it is looked at next, by whichever process is first. */
  readonly nextAtMs: number;
}

/** One line of the history. It stays when its alert is deleted. */
export interface AlertEventRow {
  readonly id: Id<"alertEvent">;
  readonly alertId: string;
  readonly alertName: string;
  readonly teamId: string;
  readonly type: "fired" | "resolved";
  readonly atMs: number;
  readonly value: number | null;
  /** What it was held against: the threshold, or the median of before. */
  readonly against: number | null;
  /** The delivery to its webhook; null where nobody was told. */
  readonly deliveryId: string | null;
}

export interface AlertEventFilter extends Pick<OwnerFilter, "teamIds"> {
  readonly alertName?: string;
}

export interface AlertTable {
  state(alertId: string): Promise<AlertStateRow | undefined>;
  /** Takes the look that is due at `expectedMs` (null: the first one); false where another process was first. */
  claim(alertId: string, expectedMs: number | null, nextAtMs: number): Promise<boolean>;
  /** Writes all of a state but when it is looked at next. */
  update(row: Omit<AlertStateRow, "nextAtMs">): Promise<void>;
  addEvent(row: AlertEventRow): Promise<void>;
  /** Newest first. */
  events(filter: AlertEventFilter, page: PageRequest): Promise<Page<AlertEventRow>>;
  /** Deletes some of before; returns how many. */
  deleteEvents(beforeMs: number, limit: number): Promise<number>;
}
