import { newId } from "../kernel/ids.ts";
import { hashClientSecret, parseClientSecret } from "./client-secret-format.ts";
import type { Actor, CoreContext } from "./core-context.ts";
import type { OauthClientMetadata, OauthClientRow } from "./identity-tables.ts";
import { keyManager, residentName } from "./key-manager.ts";
import { insertClient } from "./oauth-clients.ts";
import { defaultName, notFound } from "./resource-changes.ts";
import { team } from "./team.ts";
import type { Write } from "./write.ts";
import { audit, inWrite } from "./write.ts";

/** A client that nobody here has made: it said itself what it is. */
export interface RegisteredClient {
  readonly clientId: string;
  readonly source: "dynamic" | "metadata-document";
  /** What it calls itself; anybody may claim any name. */
  readonly displayName: string;
  readonly metadata: OauthClientMetadata;
  /** Kept as a hash. Undefined for a public client. */
  readonly secretValue: string | undefined;
}

const actor: Actor = { type: "system", id: "registration" };

/**
 * Stores a client of the resident key manager that registered itself, and tells the gateways. It belongs to the team
 * `default` and to no application, so it is bound by no plan until an administrator gives it one. One that is known
 * by its document is only brought up to date.
 */
export async function storeRegisteredClient(context: CoreContext, client: RegisteredClient): Promise<OauthClientRow> {
  return inWrite(context, actor, async (write) => {
    const row = await rowOf(write, client);
    const { oauthClients } = write.transaction;
    const before = await oauthClients.find(row.keyManagerId, row.clientId);
    if (before !== undefined && before.source === "metadata-document" && row.source === "metadata-document") {
      if (JSON.stringify(before.metadata) === JSON.stringify(row.metadata)) return before;
      const after = { ...before, metadata: row.metadata, version: before.version + 1, updatedAtMs: write.nowMs };
      await oauthClients.update(after, before.version);
      await audit(write, "oauthclient.updated", subjectOf(after), { clientId: row.clientId, source: row.source });
      return after;
    }
    await insertClient(write, row);
    if (client.secretValue !== undefined) await insertSecret(write, row, client.secretValue);
    return row;
  });
}

async function rowOf(write: Write, client: RegisteredClient): Promise<OauthClientRow> {
  const { resources } = write.transaction;
  const resident = await resources.find(keyManager.kind, residentName);
  const owner = await resources.find(team.kind, defaultName);
  if (resident === undefined) throw notFound(keyManager.kind, residentName);
  if (owner === undefined) throw notFound(team.kind, defaultName);
  const id = newId("oauthClient");
  return {
    id,
    clientId: client.clientId,
    keyManagerId: resident.id as OauthClientRow["keyManagerId"], // found as one
    applicationId: null,
    teamId: owner.id,
    environment: "production",
    name: id.replace("_", "-"),
    metadata: { ...client.metadata, displayName: client.displayName },
    source: client.source,
    disabled: false,
    version: 1,
    createdAtMs: write.nowMs,
    updatedAtMs: write.nowMs,
  };
}

async function insertSecret(write: Write, row: OauthClientRow, secretValue: string): Promise<void> {
  const { pepper } = write.context;
  await write.transaction.oauthClients.secrets.insert({
    id: newId("oauthClientSecret"),
    clientRowId: row.id,
    publicId: parseClientSecret(secretValue) ?? "",
    description: "Made at registration",
    hash: hashClientSecret(pepper, secretValue).toString("hex"),
    pepperId: pepper.id,
    createdAtMs: write.nowMs,
    expiresAtMs: null,
    revokedAtMs: null,
    lastUsedAtMs: null,
  });
}

function subjectOf(row: OauthClientRow) {
  return { kind: "OauthClient", id: row.id, name: row.name, teamId: row.teamId };
}
