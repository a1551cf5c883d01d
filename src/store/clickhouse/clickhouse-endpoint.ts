/** Where a ClickHouse answers over HTTP, and as whom to ask. */
export interface ClickHouseEndpoint {
  readonly url: string;
  readonly database: string;
  /** For inserts and the schema. */
  readonly writer: ClickHouseUser;
  /** For questions. */
  readonly reader: ClickHouseUser;
  /** For statements that analysts write; there are none where it is absent. */
  readonly adHoc?: AdHocUser | undefined;
}

export interface ClickHouseUser {
  readonly username: string;
  readonly password: string;
}

/** A user that may read, and what has to be set with each of its statements. */
export interface AdHocUser extends ClickHouseUser {
  readonly settings: Readonly<Record<string, string | number>>;
}

/**
 * Gives the endpoint of now; another object after each change of it. Throws `store.unavailable` while there is none,
 * and `analytics.not_available` when there will be none.
 */
export type FindClickHouse = () => Promise<ClickHouseEndpoint>;
