import { z } from "zod";
import { newId } from "../kernel/ids.ts";
import type { Page, PageRequest, SecretRow } from "./catalog.ts";
import type { Actor, CoreContext } from "./core-context.ts";
import { invalid, parseDocument } from "./parse-document.ts";
import { refuseWhileInUse } from "./references.ts";
import { nameSchema } from "./resource.ts";
import { changedMeanwhile, findTeam, noTeam, notFound } from "./resource-changes.ts";
import { bindingOf, openValue, sealValue } from "./sealed-values.ts";
import type { Write } from "./write.ts";
import { audit, inWrite } from "./write.ts";

/** What a writer says of a secret. */
export const secretInputSchema = z.strictObject({
  name: nameSchema,
  value: z.string().min(1).max(65_536).meta({ title: "Value", description: "Sealed at once; never shown again." }),
  team: nameSchema.optional(),
});

/** A secret as it may be shown: never its value, sealed or not. */
export interface SecretView {
  readonly kind: "Secret";
  readonly metadata: {
    readonly name: string;
    readonly id: string;
    readonly teamId: string;
    readonly version: number;
    readonly createdAt: string;
    readonly updatedAt: string;
  };
}

/**
 * Sets a secret: a new one, or the value of the one that has the name. References to it stay and get the new value.
 * Throws `resource.invalid`, for the team of a secret is fixed at creation, and `resource.changed` when it is not at the
 * version that was expected.
 */
export async function putSecret(
  context: CoreContext,
  actor: Actor,
  input: { readonly name: string; readonly value: string; readonly team?: string | undefined },
  expectedVersion?: number,
): Promise<SecretRow> {
  const { name, value, team } = parseDocument(secretInputSchema, input);
  return inWrite(context, actor, async (write) => {
    const before = await write.transaction.secrets.find(name);
    if (before?.version !== (expectedVersion ?? before?.version)) throw changedMeanwhile("Secret", name);
    const teamId = await secretTeam(write, team, before);
    const id = before?.id ?? newId("secret");
    const row: SecretRow = {
      id,
      name,
      teamId,
      sealed: sealValue(context.vaultKeys, value, boundTo(id)),
      version: (before?.version ?? 0) + 1,
      createdAtMs: before?.createdAtMs ?? write.nowMs,
      updatedAtMs: write.nowMs,
    };
    await write.transaction.secrets.put(row);
    await write.transaction.references.replace(holderOf(row), [{ toId: teamId, path: "metadata.team" }]);
    await audit(write, before === undefined ? "secret.created" : "secret.updated", subjectOf(row), {
      version: row.version,
      keyId: row.sealed.kid,
    });
    write.messages.push({ type: "secret.changed", name });
    return row;
  });
}

/** Deletes a secret that nothing refers to. Throws `resource.in_use` with the holders, `resource.not_found`, `resource.changed`. */
export async function deleteSecret(
  context: CoreContext,
  actor: Actor,
  name: string,
  expectedVersion?: number,
): Promise<void> {
  await inWrite(context, actor, async (write) => {
    const row = await write.transaction.secrets.find(name);
    if (row === undefined) throw notFound("Secret", name);
    if (row.version !== (expectedVersion ?? row.version)) throw changedMeanwhile("Secret", name);
    await refuseWhileInUse(write.transaction, { kind: "Secret", name, id: row.id });
    await write.transaction.references.replace(holderOf(row), []);
    await write.transaction.secrets.delete(name);
    await audit(write, "secret.deleted", subjectOf(row), { version: row.version });
    write.messages.push({ type: "secret.changed", name });
  });
}

/** Secrets in the order of creation. Show rows only through `secretView`. */
export async function listSecrets(context: CoreContext, page: PageRequest): Promise<Page<SecretRow>> {
  return context.catalog.read.secrets.list(page);
}

/**
 * A secret's value, for the call that needs it. Throws `resource.not_found`, and `secret.undecryptable` when its key is
 * not in the keyring or the row was altered.
 */
export async function readSecret(context: CoreContext, name: string): Promise<string> {
  const row = await context.catalog.read.secrets.find(name);
  if (row === undefined) throw notFound("Secret", name);
  return openValue(context.vaultKeys, row.sealed, boundTo(row.id));
}

/** What may be shown of a secret. */
export function secretView(row: SecretRow): SecretView {
  return {
    kind: "Secret",
    metadata: {
      name: row.name,
      id: row.id,
      teamId: row.teamId,
      version: row.version,
      createdAt: new Date(row.createdAtMs).toISOString(),
      updatedAt: new Date(row.updatedAtMs).toISOString(),
    },
  };
}

// By id and not by name: the sealed value of a deleted secret does not open in a row made again under its name.
function boundTo(id: string): string {
  return bindingOf("secret", [id]);
}

async function secretTeam(write: Write, name: string | undefined, before: SecretRow | undefined): Promise<string> {
  if (name === undefined && before !== undefined) return before.teamId;
  const team = await findTeam(write.transaction, name ?? "default");
  if (team === undefined) throw invalid([noTeam(name ?? "default")]);
  if (before !== undefined && before.teamId !== team.id) {
    throw invalid([{ path: "metadata.team", message: "the team is fixed at creation" }]);
  }
  return team.id;
}

function holderOf(row: SecretRow) {
  return { holderType: "resource", holderId: row.id, holderKind: "Secret", holderName: row.name } as const;
}

function subjectOf(row: SecretRow) {
  return { kind: "Secret", id: row.id, name: row.name, teamId: row.teamId };
}
