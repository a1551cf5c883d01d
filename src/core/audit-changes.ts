import { canonicalJson } from "../kernel/canonical-json.ts";

/** One member that is not as it was. */
export interface AuditChange {
  /** `spec.upstream.production.targets[0].weight`. */
  readonly path: string;
  /** Absent where there was nothing. */
  readonly before?: string;
  /** Absent where there is nothing now. */
  readonly after?: string;
}

const maxChanges = 20;
const maxText = 120;

/**
 * What differs between two states of a thing as it is stored, by path, at most twenty; values as short JSON. What is
 * stored of a secret is only where it is, and even that is shown as a mask.
 */
export function auditChanges(before: unknown, after: unknown): { readonly changes: readonly AuditChange[] } {
  const changes: AuditChange[] = [];
  compare("", before, after, changes);
  return { changes };
}

function compare(path: string, before: unknown, after: unknown, changes: AuditChange[]): void {
  if (changes.length >= maxChanges || canonicalJson(before) === canonicalJson(after)) return;
  const names = membersOf(before, after);
  if (names === undefined) {
    changes.push({
      path,
      ...(before !== undefined && { before: show(before) }),
      ...(after !== undefined && { after: show(after) }),
    });
    return;
  }
  for (const name of names) {
    const at = Array.isArray(before) ? `${path}[${name}]` : path === "" ? name : `${path}.${name}`;
    compare(at, member(before, name), member(after, name), changes);
  }
}

/** The members of both, where both are lists of one length or both are objects: there it can be told which changed. */
function membersOf(before: unknown, after: unknown): readonly string[] | undefined {
  if (typeof before !== "object" || typeof after !== "object" || before === null || after === null) return undefined;
  if (Array.isArray(before) !== Array.isArray(after)) return undefined;
  if (Array.isArray(before) && Array.isArray(after) && before.length !== after.length) return undefined;
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
}

function member(of: unknown, name: string): unknown {
  return Object.hasOwn(Object(of), name) ? Reflect.get(Object(of), name) : undefined;
}

function show(value: unknown): string {
  const text = canonicalJson(value).replaceAll(/\$\{(?:sealed|enc):[^}]*\}/g, "••••");
  return text.length <= maxText ? text : `${text.slice(0, maxText - 1)}…`;
}
