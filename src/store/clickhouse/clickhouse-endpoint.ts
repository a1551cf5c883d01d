/** Where a ClickHouse answers over HTTP, and as whom to ask. */
export interface ClickHouseEndpoint {
  readonly url: string;
  readonly database: string;
  /** For inserts and the schema. */
  readonly writer: ClickHouseUser;
  /** For questions. */
  readonly reader: ClickHouseUser;
}

export interface ClickHouseUser {
  readonly username: string;
  readonly password: string;
}

/**
 * Gives the endpoint of now; another object after each change of it. Throws `store.unavailable` while there is none,
 * and `analytics.not_available` when there will be none.
 */
export type FindClickHouse = () => Promise<ClickHouseEndpoint>;
