/** What differs between installations of ClickHouse. */
export interface ClickHouseDialect {
  /** The engine clause of a table: `MergeTree`, or its replicated form on a cluster. */
  engine(family: "MergeTree" | "ReplacingMergeTree", parameters?: string): string;
  /** Settings of tables that keep tokens of inserts, in the engine's own form. */
  readonly deduplication: string;
  /** Stands behind the name of what is made or changed; empty, or with a space before it. */
  readonly onCluster: string;
}

/** One step of the schema. What has been released is never edited: a later step changes it. */
export interface ClickHouseMigration {
  /** Counts from 1 without gaps. */
  readonly number: number;
  readonly name: string;
  /**
   * Statements, run one after the other. There are no transactions: a crash in between runs all of them again, so each
   * must be harmless when it was done before.
   */
  statements(dialect: ClickHouseDialect): readonly string[];
}

/** One server, or the embedded engine. */
export const singleNode: ClickHouseDialect = {
  engine: (family, parameters = "") => `${family}(${parameters})`,
  deduplication: "non_replicated_deduplication_window = 10000",
  onCluster: "",
};

/**
 * Servers of one shard that each have all rows, by the name that their configuration has for them. The path is
 * ClickHouse's own default; `{uuid}`, `{shard}` and `{replica}` are filled in by the servers. Not tried on any yet.
 */
export function replicated(cluster: string): ClickHouseDialect {
  return {
    engine: (family, parameters) => {
      const own = parameters === undefined ? "" : `, ${parameters}`;
      return `Replicated${family}('/clickhouse/tables/{uuid}/{shard}', '{replica}'${own})`;
    },
    deduplication: "replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800",
    onCluster: ` ON CLUSTER '${cluster}'`, // the configuration takes word characters and dashes only
  };
}
