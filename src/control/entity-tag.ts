import { GatewayError } from "../kernel/errors.ts";

/** The ETag of a version: the number in quotes. */
export function entityTag(version: number): string {
  return `"${version}"`;
}

/** As `expectedVersion`, for actions that need no If-Match: undefined without the header. */
export async function heededVersion(
  ifMatch: string | undefined,
  current: () => Promise<number>,
): Promise<number | undefined> {
  return ifMatch === undefined ? undefined : expectedVersion(ifMatch, current);
}

/**
 * The version that a writer has seen, from `If-Match`. `current` is asked only for `*` and for lists of tags. Without
 * the header `resource.precondition_required` (428), so that nobody overwrites what they have not read; a tag that no
 * version of ours can have (weak, or no number) is `resource.changed` (412); no tag at all is `request.invalid`.
 */
export async function expectedVersion(ifMatch: string | undefined, current: () => Promise<number>): Promise<number> {
  if (ifMatch === undefined) {
    throw new GatewayError("resource.precondition_required", "Send If-Match with the ETag that you last read.");
  }
  if (ifMatch.trim() === "*") return current();
  const tags = ifMatch.split(",").map((tag) => tag.trim());
  if (!tags.every((tag) => /^(W\/)?"[^"]*"$/.test(tag))) {
    throw new GatewayError("request.invalid", 'If-Match is a list of ETags such as "3", in quotes.');
  }
  const versions = tags.flatMap((tag) => (/^"\d{1,15}"$/.test(tag) ? [Number(tag.slice(1, -1))] : []));
  const [first] = versions;
  if (first === undefined) {
    throw new GatewayError("resource.changed", "No version has this ETag. Read the resource again.");
  }
  if (versions.length === 1) return first;
  const version = await current();
  return versions.includes(version) ? version : first;
}
