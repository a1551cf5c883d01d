import { canonicalJson } from "../kernel/canonical-json.ts";
import type { SealedValue } from "../kernel/crypto.ts";
import type { FieldIssue } from "../kernel/errors.ts";
import { newId } from "../kernel/ids.ts";
import type { CoreContext } from "./core-context.ts";
import { looksSealed, openFromFile } from "./file-envelope.ts";
import { fieldPath, invalid } from "./parse-document.ts";
import type { Resource, ResourceKind } from "./resource.ts";
import { bindingOf, openValue, sealValue } from "./sealed-values.ts";
import type { ValuePath } from "./secret-fields.ts";
import { mapSecrets, mapTexts } from "./secret-fields.ts";
import type { Write } from "./write.ts";

/** A value that was given inline in a resource. The spec, its revisions and artifacts hold `${sealed:id}` in its place. */
export interface InlineSecretRow {
  readonly id: string;
  /** The resource's id. */
  readonly holderId: string;
  /** Where in the resource, without the indexes of lists: `spec.with.apiKey`. It opens nowhere else. */
  readonly path: string;
  readonly sealed: SealedValue;
  readonly createdAtMs: number;
}

/** The inline values of resources. They go away with their resource. */
export interface InlineSecretTable {
  insert(row: InlineSecretRow): Promise<void>;
  find(id: string): Promise<InlineSecretRow | undefined>;
  /** All of one resource, in the order of id. */
  of(holderId: string): Promise<readonly InlineSecretRow[]>;
  delete(id: string): Promise<boolean>;
}

/** What every reader gets in place of a value. A writer who sends it back keeps the value. */
export const secretMask = "••••";

/** An inline value of a document on its way: not yet stored. */
export interface InlineValue {
  /** Stands in the spec as `${sealed:id}`. */
  readonly id: string;
  readonly path: ValuePath;
  /** Undefined keeps what is stored. */
  readonly value: string | undefined;
}

const longestValue = 65_536;
const pointer = /^\$\{sealed:(isv_[0-9a-f]{24})\}$/;

/**
 * Takes the inline values out of a document before anything else looks at it, so that no message can repeat one. Throws
 * `resource.invalid` for an envelope that does not open, and for text that would be taken for a reference and is none.
 */
export function concealInline(
  { vaultKeys, plugins }: Pick<CoreContext, "vaultKeys" | "plugins">,
  kind: ResourceKind,
  spec: unknown,
): { readonly spec: unknown; readonly inline: readonly InlineValue[] } {
  const inline: InlineValue[] = [];
  const issues: FieldIssue[] = [];
  const concealed = mapSecrets(kind.spec, spec, plugins ?? (() => undefined), (text, path) => {
    if (text === "" || /^\$\{secret:[a-z0-9-]+\}$/.test(text)) return text;
    const opened = looksSealed(text) ? openFromFile(vaultKeys, text) : plainValue(text);
    if ("fault" in opened) {
      issues.push({ path: fieldPath(["spec", ...path]), message: opened.fault });
      return secretMask;
    }
    const id = newId("inlineSecret");
    inline.push({ id, path: ["spec", ...path], value: opened.value });
    return `\${sealed:${id}}`;
  });
  if (issues.length > 0) throw invalid(issues);
  return { spec: concealed, inline };
}

/** A spec as it is to be stored, and the rows that are new. */
export interface SettledInline {
  readonly spec: unknown;
  readonly fresh: readonly InlineSecretRow[];
}

/**
 * Finds the stored value of each inline one: what is masked or unchanged keeps its place in the store, so that writing the
 * same again is no change. Throws `resource.invalid` where there is nothing to keep.
 */
export async function settleInline(
  { context, transaction, nowMs }: Write,
  holderId: string,
  before: Resource | undefined,
  { spec, inline = [] }: { readonly spec: unknown; readonly inline?: readonly InlineValue[] },
): Promise<SettledInline> {
  if (inline.length === 0) return { spec, fresh: [] };
  const rows = new Map((await transaction.inlineSecrets.of(holderId)).map((row) => [row.id, row]));
  const issues: FieldIssue[] = [];
  const fresh: InlineSecretRow[] = [];
  const pointers = new Map<string, string>();
  for (const { id, path, value } of inline) {
    const stored = before && rows.get(pointedAt(storedAt(before.spec, spec, path)) ?? "");
    if (stored !== undefined && (value === undefined || opens(context, stored, value))) pointers.set(id, stored.id);
    else if (value === undefined) {
      issues.push({ path: fieldPath(path), message: "there is no stored value to keep here; write the value itself" });
    } else {
      const place = pathInHolder(path);
      const sealed = sealValue(context.vaultKeys, value, inlineBinding({ id, holderId, path: place }));
      fresh.push({ id, holderId, path: place, sealed, createdAtMs: nowMs });
    }
  }
  if (issues.length > 0) throw invalid(issues);
  return { spec: mapPointers(spec, (id) => `\${sealed:${pointers.get(id) ?? id}}`), fresh };
}

/** Stores the new values of a resource that is there by now, and forgets those that a kind without revisions has dropped. */
export async function storeInline(
  { transaction }: Write,
  kind: ResourceKind,
  holderId: string,
  { spec, fresh }: SettledInline,
): Promise<void> {
  for (const row of fresh) await transaction.inlineSecrets.insert(row);
  if (kind.live === "revision") return; // an older revision may be deployed again, and needs its values then
  const used = new Set(inlinePointers(spec).map(({ id }) => id));
  for (const { id } of await transaction.inlineSecrets.of(holderId)) {
    if (!used.has(id)) await transaction.inlineSecrets.delete(id);
  }
}

/** A spec as it may be shown: a mask wherever an inline value stands. */
export function maskInline(spec: unknown): unknown {
  return mapPointers(spec, () => secretMask);
}

/** The inline values in a spec and where they stand; `prefix` is the path of what is given. */
export function inlinePointers(
  spec: unknown,
  prefix: ValuePath = ["spec"],
): readonly { readonly id: string; readonly path: string }[] {
  const found: { id: string; path: string }[] = [];
  mapTexts(spec, prefix, (text, path) => {
    const id = pointedAt(text);
    if (id !== undefined) found.push({ id, path: pathInHolder(path) });
    return text;
  });
  return found;
}

/** What an inline value is bound to. */
export function inlineBinding({ id, holderId, path }: Pick<InlineSecretRow, "id" | "holderId" | "path">): string {
  return bindingOf("inline", [holderId, path, id]);
}

function plainValue(text: string): { readonly value: string | undefined } | { readonly fault: string } {
  if (text === secretMask) return { value: undefined };
  if (text.startsWith("${")) return { fault: "write ${secret:name} with the name of a secret, or the value itself" };
  if (text.includes(secretMask)) return { fault: "a part of this is a mask; write the whole value, or the mask alone" };
  if (text.length > longestValue) return { fault: `at most ${longestValue} characters` };
  return { value: text };
}

function pointedAt(text: unknown): string | undefined {
  return typeof text === "string" ? pointer.exec(text)?.[1] : undefined;
}

function mapPointers(spec: unknown, replace: (id: string) => string): unknown {
  return mapTexts(spec, [], (text) => {
    const id = pointedAt(text);
    return id === undefined ? text : replace(id);
  });
}

// A list's items have no names: one that is as it was, but for its secrets, is the same one; any other may have moved.
function storedAt(before: unknown, now: unknown, [, ...path]: ValuePath): unknown {
  let stored = before;
  let written = now;
  for (const part of path) {
    written = memberOf(written, part);
    if (typeof part === "string") stored = memberOf(stored, part);
    else if (Array.isArray(stored)) {
      const shown = canonicalJson(maskInline(written));
      const same = stored.filter((item) => canonicalJson(maskInline(item)) === shown);
      stored = same.length === 1 ? same[0] : undefined;
    } else return undefined;
  }
  return stored;
}

function memberOf(value: unknown, part: string | number): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, part)
    ? Reflect.get(value, part)
    : undefined;
}

function opens({ vaultKeys }: CoreContext, row: InlineSecretRow, value: string): boolean {
  try {
    return openValue(vaultKeys, row.sealed, inlineBinding(row)) === value;
  } catch {
    return false; // a row that does not open any more is replaced by the value that is given now
  }
}

function pathInHolder(path: ValuePath): string {
  return fieldPath(path.filter((part) => typeof part === "string"));
}
