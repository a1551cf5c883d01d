import { addCaptures } from "./add-captures.ts";
import { addChoiceColumns } from "./add-choice-columns.ts";
import { addCosts } from "./add-costs.ts";
import { addDefinitionHash } from "./add-definition-hash.ts";
import { addGovernanceEvents } from "./add-governance-events.ts";
import { addLabels } from "./add-labels.ts";
import { addMcpColumns } from "./add-mcp-columns.ts";
import { addMissingMembers } from "./add-missing-members.ts";
import { addRollups } from "./add-rollups.ts";
import { addRouteColumns } from "./add-route-columns.ts";
import { addShadowSpending } from "./add-shadow-spending.ts";
import { addStoredAt } from "./add-stored-at.ts";
import { addTokenColumns } from "./add-token-columns.ts";
import { addToldColumns } from "./add-told-columns.ts";
import type { ClickHouseMigration } from "./clickhouse-migration.ts";
import { createEventTables } from "./create-event-tables.ts";

/** The steps of the analytics schema in order. */
export const clickHouseMigrations: readonly ClickHouseMigration[] = [
  createEventTables,
  addMcpColumns,
  addTokenColumns,
  addLabels,
  addDefinitionHash,
  addMissingMembers,
  addCosts,
  addRouteColumns,
  addChoiceColumns,
  addStoredAt,
  addCaptures,
  addToldColumns,
  addGovernanceEvents,
  addRollups,
  addShadowSpending,
];
