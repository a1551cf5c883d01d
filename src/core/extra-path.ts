/**
 * A path that the control plane answers beside its own: `/docs`, itself and nothing else, or `/docs/*`, that path and what is below it.
 * There are no patterns, so an entry can be anchored in no other way than it is written.
 */
export const extraPathPattern = /^(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+(?:\/\*)?$/;

/** The first segments that belong to the control plane and can be given to nobody. */
const taken: ReadonlySet<string> = new Set(["api", "livez", "readyz", "auth"]);

/** Why a path cannot be an extra one; undefined when it can. */
export function extraPathIssue(path: string): string | undefined {
  if (path.length > 200 || !extraPathPattern.test(path)) {
    return "write a whole path, such as /docs, or /docs/* for what is below it; no patterns, no slash at the end";
  }
  const [, first = ""] = path.split("/");
  return taken.has(first.toLowerCase()) ? `/${first} belongs to the control plane` : undefined;
}

/** Where a request for an extra path is sent: the address, with what stands below the entry put behind its slash. */
export function extraPathTarget(entry: string, address: string, path: string): string {
  return entry.endsWith("/*") ? address + path.slice(entry.length - 1) : address;
}
