/** A page of a list, in the order of creation. `next` continues it; undefined at the end. */
export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly next: string | undefined;
}

export interface PageRequest {
  /** 1 to 200. */
  readonly limit: number;
  /** `next` of the page before. An unreadable one throws `request.invalid`. */
  readonly cursor?: string | undefined;
}

/** A page of nothing. */
export const emptyPage: Page<never> = { rows: [], next: undefined };
