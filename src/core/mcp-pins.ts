import { createHash } from "node:crypto";
import { GatewayError } from "../kernel/errors.ts";
import type { CatalogTransaction } from "./catalog.ts";
import type { Actor, CoreContext } from "./core-context.ts";
import type { Environment } from "./environment.ts";
import type { DefinitionChange, PinKind } from "./mcp-definition.ts";
import { definitionHash, diffDefinitions } from "./mcp-definition.ts";
import type { McpDrift } from "./mcp-drift.ts";
import { mcpPinsSchema } from "./mcp-pin-settings.ts";
import type { McpPinRow } from "./mcp-pin-tables.ts";
import { mcpServer } from "./mcp-server.ts";
import type { GatewayReport, McpPinRecord } from "./plane-message.ts";
import { getResource } from "./resources.ts";
import { audit, inWrite } from "./write.ts";

/** A pin as people see it. */
export interface McpPinView {
  readonly id: string;
  readonly environment: Environment;
  readonly kind: PinKind;
  readonly name: string;
  readonly state: "approved" | "changed" | "new";
  readonly approvedHash: string | null;
  readonly seenHash: string;
  readonly seenAtMs: number;
  /** What differs between what was approved and what was seen last; empty when nothing does. */
  readonly changes: readonly DefinitionChange[];
}

const system: Actor = { type: "system", id: "gateway" };
const maxPins = 10_000;

/**
 * Takes in what a gateway has seen a server say. Only for deployed servers whose pins are on; the settings are those of
 * the deployed revision. A change has an audit row; what is told again has none.
 */
export async function takeSightings(
  context: CoreContext,
  report: Omit<Extract<GatewayReport, { type: "mcp.seen" }>, "type">,
): Promise<void> {
  const { apiId, environment } = report;
  const drifts: McpDrift[] = [];
  await inWrite(context, system, async (write) => {
    const { transaction, nowMs } = write;
    const deployed = await deployedPins(transaction, apiId);
    if (deployed === undefined || deployed.settings.mode === "off") return;
    if (report.isRefresh === true) write.messages.push({ type: "mcp-pins.checked", apiId, environment });
    let room = maxPins - (await transaction.mcpPins.ofApi(apiId)).length;
    const changed: McpPinRow[] = [];
    for (const { kind, name, definition: seen } of report.seen) {
      const id = pinId(apiId, environment, kind, name);
      const seenHash = definitionHash(seen);
      const before = await transaction.mcpPins.find(id);
      if (before?.seenHash === seenHash || (before === undefined && room <= 0)) continue;
      if (before === undefined) room -= 1;
      const isTrusted = before === undefined && deployed.settings.onNew === "allow";
      const approved = before ?? { approvedHash: isTrusted ? seenHash : null, approved: isTrusted ? seen : null };
      const { approvedHash, approved: definition } = approved;
      const row = {
        id,
        apiId,
        environment,
        kind,
        name,
        approvedHash,
        approved: definition,
        seenHash,
        seen,
        seenAtMs: nowMs,
      };
      await transaction.mcpPins.put(row);
      changed.push(row);
      if (approvedHash === seenHash) continue;
      const subject = { kind: "McpServer", id: apiId, name: deployed.name, teamId: deployed.teamId };
      const changes = diffDefinitions(row.approved ?? {}, seen);
      const paths = changes.map(({ path }) => path).slice(0, 20);
      const detail = { environment, kind, name, approvedHash, seenHash, paths };
      await audit(write, approvedHash === null ? "mcp-pin.new" : "mcp-pin.changed", subject, detail);
      const { name: server, teamId } = deployed;
      drifts.push({ apiId, server, teamId, environment, kind, name, approvedHash, seenHash, changes });
    }
    if (changed.length === 0) return;
    await transaction.compliance.enqueue({ ids: [apiId] }, nowMs); // rules see what servers say
    write.governanceAsked = true;
    write.messages.push({ type: "mcp-pins.put", pins: changed.map(pinRecord) });
  });
  for (const drift of drifts) context.onMcpDrift?.(drift);
}

/** The pins of a server, those that wait for an approval first. */
export async function listPins(context: CoreContext, server: string): Promise<readonly McpPinView[]> {
  const { id } = await getResource(context, mcpServer, server);
  const views = (await context.catalog.read.mcpPins.ofApi(id)).map(pinView);
  return [...views.filter(({ state }) => state !== "approved"), ...views.filter(({ state }) => state === "approved")];
}

/**
 * Approves what was seen. Throws `resource.not_found` for a pin that this server has not, and `resource.conflict` when
 * what was seen last is not `seenHash`: nobody approves what they have not looked at.
 */
export async function approvePin(
  context: CoreContext,
  actor: Actor,
  server: string,
  pin: string,
  seenHash: string,
): Promise<McpPinView> {
  const resource = await getResource(context, mcpServer, server);
  return inWrite(context, actor, async (write) => {
    const row = await write.transaction.mcpPins.find(pin);
    if (row === undefined || row.apiId !== resource.id) {
      throw new GatewayError("resource.not_found", `${server} has no pin ${pin}.`);
    }
    if (row.seenHash !== seenHash) {
      throw new GatewayError("resource.conflict", "The definition has changed since; look at it again.");
    }
    const approved: McpPinRow = { ...row, approvedHash: row.seenHash, approved: row.seen };
    await write.transaction.mcpPins.put(approved);
    const { environment, kind, name, approvedHash } = row;
    const subject = { kind: "McpServer", id: resource.id, name: resource.name, teamId: resource.teamId };
    await audit(write, "mcp-pin.approved", subject, { environment, kind, name, before: approvedHash, after: seenHash });
    await write.transaction.compliance.enqueue({ ids: [resource.id] }, write.nowMs); // rules see what is approved
    write.governanceAsked = true;
    write.messages.push({ type: "mcp-pins.put", pins: [pinRecord(approved)] });
    return pinView(approved);
  });
}

/** What gateways need to know of a pin. */
export function pinRecord({ apiId, environment, kind, name, approvedHash, seenHash }: McpPinRow): McpPinRecord {
  return { apiId, environment, kind, name, approvedHash, seenHash };
}

function pinView(row: McpPinRow): McpPinView {
  const { id, environment, kind, name, approvedHash, approved, seenHash, seen, seenAtMs } = row;
  const state = approvedHash === seenHash ? "approved" : approvedHash === null ? "new" : "changed";
  const changes = state === "approved" ? [] : diffDefinitions(approved ?? {}, seen);
  return { id, environment, kind, name, state, approvedHash, seenHash, seenAtMs, changes };
}

async function deployedPins(transaction: CatalogTransaction, apiId: string) {
  const deployment = await transaction.deployments.find(apiId);
  if (deployment?.kind !== "McpServer") return undefined;
  const revision = await transaction.revisions.find(apiId, deployment.revision);
  const spec = mcpServer.spec.safeParse(revision?.spec);
  if (!spec.success) return undefined;
  const { name, teamId } = deployment;
  return { name, teamId, settings: spec.data.pins ?? mcpPinsSchema.parse({}) };
}

function pinId(...parts: readonly string[]): string {
  return `pin_${createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 24)}`;
}
