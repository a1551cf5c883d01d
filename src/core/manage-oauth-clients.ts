import { GatewayError } from "../kernel/errors.ts";
import type { Id } from "../kernel/ids.ts";
import type { AuditAction } from "./audit-actions.ts";
import type { Actor, CoreContext } from "./core-context.ts";
import type { OauthClientRow } from "./identity-tables.ts";
import type { ClientAddress } from "./oauth-client-address.ts";
import { requireApplication, requireClient } from "./oauth-client-address.ts";
import { endClient, requireEverybody } from "./oauth-client-end.ts";
import type { NamedOauthClient } from "./oauth-client-names.ts";
import { nameOauthClient, nameOauthClients } from "./oauth-client-names.ts";
import { clientRecord } from "./oauth-client-record.ts";
import { auditClient, bindClient } from "./oauth-clients.ts";
import type { Page, PageRequest } from "./page.ts";
import { changedMeanwhile, defaultName, findTeam, notFound } from "./resource-changes.ts";
import { team } from "./team.ts";
import type { Write } from "./write.ts";
import { inWrite } from "./write.ts";

/** What a list of clients is narrowed to; everything where a member is absent. */
export interface ClientFilter {
  readonly source?: OauthClientRow["source"] | undefined;
  readonly disabled?: boolean | undefined;
  readonly clientId?: string | undefined;
}

/** Which change, and the version of the client that it is meant for; whichever is there when undefined. */
export interface ClientChange {
  readonly address: ClientAddress;
  readonly expectedVersion: number | undefined;
}

/** Clients of every application and of none, those that registered themselves included, in the order of creation. */
export async function listAllOauthClients(
  { catalog: { read } }: CoreContext,
  { source, disabled, clientId }: ClientFilter,
  page: PageRequest,
): Promise<Page<NamedOauthClient>> {
  const filter = {
    ...(source !== undefined && { source }),
    ...(disabled !== undefined && { disabled }),
    ...(clientId !== undefined && { clientId }),
  };
  const { rows, next } = await read.oauthClients.list(filter, page);
  return { rows: await nameOauthClients(read, rows), next };
}

/**
 * Disables a client, or enables it again. A disabled one gets no tokens, and what it had is dead at every gateway and stays
 * so; one that is known by its document is kept out by that for as long as it is disabled. Throws `resource.not_found`,
 * `resource.changed`, and `auth.forbidden` for who may not decide it for everybody.
 */
export async function setOauthClientDisabled(
  context: CoreContext,
  actor: Actor,
  change: ClientChange,
  disabled: boolean,
): Promise<NamedOauthClient> {
  return changeClient(context, actor, change, async (write, before) => {
    if (disabled && !before.disabled) await endClient(write, before);
    return { action: disabled ? "oauthclient.disabled" : "oauthclient.enabled", row: { ...before, disabled } };
  });
}

/**
 * Gives a client that belongs to nobody to an application, whose team and subscriptions count for its tokens from then on,
 * also for those that are out already. Throws as `setOauthClientDisabled`, and `resource.conflict` for one that has an
 * application.
 */
export async function associateOauthClient(
  context: CoreContext,
  actor: Actor,
  change: ClientChange,
  applicationName: string,
): Promise<NamedOauthClient> {
  return changeClient(context, actor, change, async ({ transaction }, before) => {
    const owner = await requireApplication(transaction, applicationName);
    if (before.applicationId !== null && before.applicationId !== owner.id) {
      throw new GatewayError("resource.conflict", `The client ${before.name} belongs to another application.`);
    }
    const applicationId = owner.id as Id<"application">; // found by kind
    return { action: "oauthclient.associated", row: { ...before, applicationId, teamId: owner.teamId } };
  });
}

/**
 * Takes a client that registered itself from its application: it belongs to nobody again. Throws as
 * `setOauthClientDisabled`, and `resource.conflict` for one that was made for its application.
 */
export async function dissociateOauthClient(
  context: CoreContext,
  actor: Actor,
  change: ClientChange,
): Promise<NamedOauthClient> {
  return changeClient(context, actor, change, async ({ transaction }, before) => {
    if (before.source === "admin") {
      throw new GatewayError("resource.conflict", `The client ${before.name} was made for its application; delete it.`);
    }
    const nobody = await findTeam(transaction, defaultName);
    if (nobody === undefined) throw notFound(team.kind, defaultName);
    return { action: "oauthclient.dissociated", row: { ...before, applicationId: null, teamId: nobody.id } };
  });
}

/** A change of what a client belongs to or may: stored, audited, and told to the gateways. One that changes nothing is none. */
async function changeClient(
  context: CoreContext,
  actor: Actor,
  { address, expectedVersion }: ClientChange,
  change: (write: Write, before: OauthClientRow) => Promise<{ action: AuditAction; row: OauthClientRow }>,
): Promise<NamedOauthClient> {
  return inWrite(context, actor, async (write) => {
    const { transaction, messages, nowMs } = write;
    const before = await requireClient(transaction, address);
    requireEverybody(actor, before);
    if (before.version !== (expectedVersion ?? before.version)) throw changedMeanwhile("OauthClient", before.name);
    const { action, row } = await change(write, before);
    requireEverybody(actor, row);
    if (row.disabled === before.disabled && row.applicationId === before.applicationId) {
      return nameOauthClient(transaction, before);
    }
    const after = { ...row, version: before.version + 1, updatedAtMs: nowMs };
    if (!(await transaction.oauthClients.update(after, before.version))) {
      throw changedMeanwhile("OauthClient", before.name);
    }
    await bindClient(write, after);
    await auditClient(write, action, after, before);
    messages.push({ type: "client.put", record: clientRecord(after) });
    return nameOauthClient(transaction, after);
  });
}
