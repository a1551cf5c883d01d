import type { FieldIssue } from "../kernel/errors.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { CatalogTransaction, ReferenceRow } from "./catalog.ts";
import { fieldPath } from "./parse-document.ts";
import type { ResourceKind } from "./resource.ts";

/** What a holder refers to: the id, and where in the holder. */
export type ResolvedReference = Pick<ReferenceRow, "toId" | "path">;

/** Holders told of when something is in use; more are counted as such. */
const shownHolders = 20;

/**
 * The ids of all that a spec refers to: other resources by name, and secrets by `${secret:name}` anywhere in it.
 * Each name that does not exist is an issue with its path.
 */
export async function resolveReferences(
  transaction: CatalogTransaction,
  kind: ResourceKind,
  spec: unknown,
): Promise<{ readonly found: readonly ResolvedReference[]; readonly issues: readonly FieldIssue[] }> {
  const found: ResolvedReference[] = [];
  const issues: FieldIssue[] = [];
  for (const reference of kind.references(spec)) {
    const resource = await transaction.resources.find(reference.kind, reference.name);
    if (resource !== undefined) found.push({ toId: resource.id, path: reference.path });
    else issues.push({ path: reference.path, message: `there is no ${reference.kind} named ${reference.name}` });
  }
  for (const { name, path } of secretReferences(spec)) {
    const secret = await transaction.secrets.find(name);
    if (secret !== undefined) found.push({ toId: secret.id, path });
    else issues.push({ path, message: `there is no secret named ${name}; set it with: gatehouse secrets set ${name}` });
  }
  return { found, issues };
}

/** Every `${secret:name}` in the strings of a value, once for each place. */
export function secretReferences(spec: unknown): readonly { readonly name: string; readonly path: string }[] {
  return [...stringsOf(spec, ["spec"])].flatMap(({ text, path }) => {
    const names = [...text.matchAll(/\$\{secret:([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\}/g)].map((match) => match[1]);
    return [...new Set(names)].flatMap((name) => (name === undefined ? [] : [{ name, path: fieldPath(path) }]));
  });
}

/** Throws `resource.in_use`, which says by whom, when anything refers to the subject. */
export async function refuseWhileInUse(
  transaction: CatalogTransaction,
  subject: { readonly kind: string; readonly name: string; readonly id: string },
): Promise<void> {
  const holders = await transaction.references.to(subject.id, shownHolders + 1);
  if (holders.length === 0) return;
  const shown = holders.slice(0, shownHolders);
  const names = [...new Set(shown.map(holderLabel))];
  const more = holders.length > shown.length ? " and others" : "";
  throw new GatewayError(
    "resource.in_use",
    `${subject.kind}/${subject.name} is in use by ${names.join(", ")}${more}. Change or delete those first.`,
    { issues: shown.map((row) => ({ path: `${holderLabel(row)}: ${row.path}`, message: holderText(row.holderType) })) },
  );
}

function holderLabel(row: ReferenceRow): string {
  return `${row.holderKind}/${row.holderName}`;
}

function holderText(type: ReferenceRow["holderType"]): string {
  switch (type) {
    case "resource":
      return "refers to it";
    case "deployment":
      return "its deployed revision refers to it";
    case "apiKey":
      return "the key is bound to it";
    case "oauthClient":
      return "the OAuth client belongs to it";
  }
}

function* stringsOf(
  value: unknown,
  path: readonly PropertyKey[],
): Generator<{ readonly text: string; readonly path: readonly PropertyKey[] }> {
  if (typeof value === "string") yield { text: value, path };
  if (value === null || typeof value !== "object") return;
  for (const [key, child] of Object.entries(value)) {
    yield* stringsOf(child, [...path, Array.isArray(value) ? Number(key) : key]);
  }
}
