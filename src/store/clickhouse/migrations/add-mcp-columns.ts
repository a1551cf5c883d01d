import type { ClickHouseMigration } from "./clickhouse-migration.ts";
import { fieldTypes, protocolFields } from "./create-event-tables.ts";

/** Step 2: what else is known of an MCP message. Rows from before have nothing there. */
export const addMcpColumns: ClickHouseMigration = {
  number: 2,
  name: "add_mcp_columns",
  // A part without the column would ask for its default at each reading, and that default reads `fields`, which no part
  // has: so the columns are first written out as empty, and only then filled from the event.
  statements: () => addedColumns(mcpColumns, before),
};

/** Statements that add columns which are filled from the event's `fields`, `before` being what those held already. */
export function addedColumns(added: readonly AddedColumn[], before: readonly string[]): readonly string[] {
  const each = (clause: (name: string, type: ColumnType) => string): string =>
    added.map(([name, type]) => clause(name, type)).join(", ");
  const tuple = [...before, ...readNames(added)].join(", ");
  return [
    `ALTER TABLE exchanges ${each((name, type) => `ADD COLUMN IF NOT EXISTS ${name} ${type.column} DEFAULT ${type.none}`)}`,
    `ALTER TABLE exchanges ${each((name, type) => `MODIFY COLUMN ${name} ${type.column} DEFAULT ${type.none}`)}`,
    `ALTER TABLE exchanges ${each((name) => `MATERIALIZE COLUMN ${name}`)} SETTINGS mutations_sync = 2`,
    `ALTER TABLE exchanges MODIFY COLUMN fields Tuple(${tuple}) EPHEMERAL, ${each(
      (name, type) => `MODIFY COLUMN ${name} ${type.column} DEFAULT ${type.filled(name)}`,
    )}`,
  ];
}

/** Columns as the type of `fields` names them. */
export function readNames(columns: readonly AddedColumn[]): readonly string[] {
  return columns.map(([name, { read }]) => `${name} ${fieldTypes[read].read}`);
}

interface ColumnType {
  readonly read: keyof typeof fieldTypes;
  readonly column: string;
  readonly none: string;
  readonly filled: (name: string) => string;
}

/** One of a few texts; empty where there is none. */
export const words: ColumnType = {
  read: "String",
  column: "LowCardinality(String)",
  none: "''",
  filled: (name) => `ifNull(fields.${name}, '')`,
};
/** Many different texts; empty where there is none. */
export const text: ColumnType = { ...words, read: "Text", column: "String" };
/** A whole number; null where there is none. */
export const count: ColumnType = {
  read: "Int64",
  column: "Nullable(Int64)",
  none: "NULL",
  filled: (name) => `accurateCastOrNull(fields.${name}, 'Int64')`,
};

export type AddedColumn = readonly [name: string, type: ColumnType];

/** What step 2 adds. */
export const mcpColumns: readonly AddedColumn[] = [
  ["transport", words],
  ["stage", words],
  ["span_id", text],
  ["tools_after_authz", count],
  ["arg_shape_hash", text],
  ["cancelled_by", words],
  ["task_id_hash", text],
  ["input_round", count],
  ["server_notifications", count],
  ["server_requests", count],
  ["rows_left_out", count],
];

const before = protocolFields.map(([name, type]) => `${name} ${fieldTypes[type].read}`);
