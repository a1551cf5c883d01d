import { GatewayError } from "../kernel/errors.ts";
import { newId } from "../kernel/ids.ts";
import { parseJson } from "../kernel/parse-json.ts";
import type { Actor, CoreContext } from "./core-context.ts";
import type { Environment } from "./environment.ts";
import { bindingOf, openValue, sealValue } from "./sealed-values.ts";
import type {
  CredentialHolder,
  UpstreamClientRow,
  UpstreamCredentialRow,
  UpstreamTokenSet,
} from "./upstream-tables.ts";
import { holderKey } from "./upstream-tables.ts";
import type { Write } from "./write.ts";
import { audit, inWrite } from "./write.ts";

/** What somebody has consented to, with the tokens that came of it. */
export interface NewUpstreamCredential {
  readonly apiId: string;
  readonly environment: Environment;
  readonly holder: CredentialHolder;
  /** The user who is the holder, or who has consented for the application. */
  readonly userId: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly resource: string;
  readonly asked: readonly string[];
  readonly scopes: readonly string[];
  /** The client of the gateway for which they have consented. */
  readonly client: string;
  readonly tokens: UpstreamTokenSet;
}

const mostClients = 100;

/**
 * Puts tokens into the vault, in place of those that the holder had there. Clients stay consented to where the tokens are
 * of the same server and as many scopes; else only the one at hand is.
 */
export async function storeUpstreamCredential(
  context: CoreContext,
  actor: Actor,
  made: NewUpstreamCredential,
): Promise<void> {
  const { apiId, environment, issuer, clientId, resource, asked, scopes, client, tokens } = made;
  await inWrite(context, actor, async (write) => {
    const holder = holderKey(made.holder);
    const table = write.transaction.upstreamCredentials;
    const before = await table.find(apiId, environment, holder);
    const isSame = before?.issuer === issuer && asked.every((scope) => before.asked.includes(scope));
    const clients = [...new Set([...(isSame ? before.clients : []), client])].slice(-mostClients);
    const id = newId("upstreamCredential");
    await table.put({
      id,
      apiId,
      environment,
      holder,
      userId: made.holder.type === "user" ? made.userId : null,
      applicationId: made.holder.type === "application" ? made.holder.applicationId : null,
      issuer,
      clientId,
      resource,
      asked,
      scopes,
      clients,
      sealed: sealTokens(context, id, tokens),
      version: (before?.version ?? 0) + 1,
      state: "active",
      createdAtMs: before?.createdAtMs ?? write.nowMs,
      updatedAtMs: write.nowMs,
    });
    tellChanged(write, { apiId, environment, holder });
    await note(write, "upstream-credential.granted", { id, apiId }, { environment, issuer, asked, client });
  });
}

/** Adds a client to those that the holder has consented to; the tokens stay. False when the credential is gone. */
export async function allowUpstreamClient(
  context: CoreContext,
  actor: Actor,
  credentialId: string,
  client: string,
): Promise<boolean> {
  return inWrite(context, actor, async (write) => {
    const table = write.transaction.upstreamCredentials;
    const row = await table.findById(credentialId);
    if (row === undefined) return false;
    const clients = [...new Set([...row.clients, client])].slice(-mostClients);
    await table.put({ ...row, clients, updatedAtMs: write.nowMs });
    tellChanged(write, row);
    await note(write, "upstream-credential.client-allowed", row, { environment: row.environment, client });
    return true;
  });
}

/**
 * Puts renewed tokens in the place of those of that version. Undefined when somebody else has changed them meanwhile. It
 * leaves no audit row: nobody has done anything.
 */
export async function renewUpstreamCredential(
  context: CoreContext,
  row: UpstreamCredentialRow,
  tokens: UpstreamTokenSet,
  scopes: readonly string[] | undefined,
): Promise<UpstreamCredentialRow | undefined> {
  const next: UpstreamCredentialRow = {
    ...row,
    scopes: scopes ?? row.scopes,
    sealed: sealTokens(context, row.id, tokens),
    version: row.version + 1,
    updatedAtMs: context.clock.now(),
  };
  const isWritten = await context.catalog.transaction((transaction) =>
    transaction.upstreamCredentials.update(next, row.version),
  );
  return isWritten ? next : undefined;
}

/** The server takes the refresh token no more: the holder has to consent anew. Says so to the gateways. */
export async function lapseUpstreamCredential(
  context: CoreContext,
  row: UpstreamCredentialRow,
  reason: string,
): Promise<void> {
  await inWrite(context, { type: "system", id: "system" }, async (write) => {
    const empty = sealTokens(context, row.id, { accessToken: "", refreshToken: null, expiresAtMs: 0 });
    const lapsed = {
      ...row,
      sealed: empty,
      state: "lapsed",
      version: row.version + 1,
      updatedAtMs: write.nowMs,
    } as const;
    if (!(await write.transaction.upstreamCredentials.update(lapsed, row.version))) return;
    tellChanged(write, row);
    await note(write, "upstream-credential.lapsed", row, { environment: row.environment, issuer: row.issuer, reason });
  });
}

/** Takes the tokens of a holder out of the vault; gateways forget theirs. Gives what was there. Throws `resource.not_found`. */
export async function revokeUpstreamCredential(
  context: CoreContext,
  actor: Actor,
  id: string,
): Promise<UpstreamCredentialRow> {
  return inWrite(context, actor, async (write) => {
    const row = await write.transaction.upstreamCredentials.findById(id);
    if (row === undefined) throw new GatewayError("resource.not_found", `There is no upstream credential ${id}.`);
    await write.transaction.upstreamCredentials.delete(id);
    tellChanged(write, row);
    await note(write, "upstream-credential.revoked", row, { environment: row.environment, issuer: row.issuer });
    return row;
  });
}

/** The tokens of a credential. Throws `secret.undecryptable`. */
export function openUpstreamTokens(
  { vaultKeys }: CoreContext,
  { id, sealed }: UpstreamCredentialRow,
): UpstreamTokenSet {
  return parseJson(openValue(vaultKeys, sealed, bindingOf("upstream-credential", [id]))) as UpstreamTokenSet; // sealed below
}

function sealTokens({ vaultKeys }: CoreContext, id: string, tokens: UpstreamTokenSet): UpstreamCredentialRow["sealed"] {
  return sealValue(vaultKeys, JSON.stringify(tokens), bindingOf("upstream-credential", [id]));
}

/** Keeps a registration of the gateway. */
export async function storeUpstreamClient(
  { catalog, clock, vaultKeys }: CoreContext,
  made: Omit<UpstreamClientRow, "id" | "sealed" | "createdAtMs"> & { readonly secret: string | null },
): Promise<void> {
  const { secret, ...facts } = made;
  const id = newId("upstreamClient");
  const sealed = sealValue(vaultKeys, JSON.stringify({ secret }), bindingOf("upstream-client", [id]));
  await catalog.transaction((tx) => tx.upstreamClients.put({ ...facts, id, sealed, createdAtMs: clock.now() }));
}

/** The secret of a registration; null where it has none. Throws `secret.undecryptable`. */
export function openUpstreamClient({ vaultKeys }: CoreContext, { id, sealed }: UpstreamClientRow): string | null {
  const opened = parseJson(openValue(vaultKeys, sealed, bindingOf("upstream-client", [id]))) as {
    secret: string | null;
  };
  return opened.secret; // sealed above
}

function tellChanged(write: Write, row: Pick<UpstreamCredentialRow, "apiId" | "environment" | "holder">): void {
  const { apiId, environment, holder } = row;
  write.messages.push({ type: "upstream-credential.changed", apiId, environment, holder });
}

async function note(
  write: Write,
  action: Parameters<typeof audit>[1],
  { id, apiId }: Pick<UpstreamCredentialRow, "id" | "apiId">,
  detail: Readonly<Record<string, unknown>>,
): Promise<void> {
  const api = await write.transaction.resources.findById(apiId);
  const subject = { kind: "UpstreamCredential", id, name: api?.name ?? apiId, teamId: api?.teamId ?? "" };
  await audit(write, action, subject, detail);
}
