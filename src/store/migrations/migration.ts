import type { ColumnDefinitionBuilder, Kysely } from "kysely";

/** Where the databases' schemas differ; each database brings its own. */
export interface SchemaDialect {
  /** A primary key that the database counts up and never uses twice, so that lists stay in the order of creation. */
  readonly sequence: {
    readonly type: "integer" | "bigserial";
    readonly primaryKey: (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder;
  };
  /** Statements after which the database itself refuses to change, replace and delete rows of a table with `seq` and `id`. */
  readonly refuseChanges: (table: string) => readonly string[];
}

/** One step of the schema. What has been released is never edited: a later step changes it. */
export interface Migration {
  /** Counts from 1 without gaps. */
  readonly number: number;
  readonly name: string;
  /** Runs in a transaction of its own; all of it happens or nothing. */
  up(db: Kysely<unknown>, dialect: SchemaDialect): Promise<void>;
}
