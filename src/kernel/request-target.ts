/**
 * How a request's target reads: `plain` has one reading only, `escaped` is unambiguous but for percent-encoded slashes,
 * percent signs and semicolons, which only a route that takes such text as one value may see, and `refused` is whatever
 * two readers may disagree about. Looked at as it came, before anybody decodes or normalises it.
 */
export type TargetReading = "plain" | "escaped" | "refused";

/** Reads the target of a request (RFC 9112, 3.2): origin-form only. The query may hold whatever an address may. */
export function readTarget(target: string): TargetReading {
  if (plainTarget.test(target)) return "plain";
  const queryAt = target.indexOf("?");
  const path = queryAt < 0 ? target : target.slice(0, queryAt);
  if (!visibleAscii.test(target) || path.charCodeAt(0) !== slash || !originForm.test(path)) return "refused";
  const segments = path.slice(1).split("/");
  if (segments.some((segment, at) => segment === "" && at < segments.length - 1)) return "refused";
  if (!segments.every(isOneText)) return "refused";
  return /%2f|%25|;/i.test(path) ? "escaped" : "plain";
}

// What nearly every request is: unreserved characters and a few that mean nothing in a path, no empty or dot segment.
const plainTarget =
  /^\/(?:[A-Za-z0-9_~@:+-][A-Za-z0-9._~@:+-]*\/)*(?:[A-Za-z0-9_~@:+-][A-Za-z0-9._~@:+-]*)?(?:\?[A-Za-z0-9._~@:+=&%,/-]*)?$/;

/** No control character, space or byte beyond ASCII; no fragment and no backslash, which some take for a slash. */
const visibleAscii = /^[\x21\x22\x24-\x5b\x5d-\x7e]*$/;

/** The characters of a path (RFC 3986, 3.3), every percent sign with its two digits. */
const originForm = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*$/;

const slash = 0x2f;

/**
 * Not `.` or `..` in any spelling, nothing encoded that needs no encoding (a list of paths in front would not know it
 * again), no backslash, no control character, and no bytes that are not UTF-8.
 */
function isOneText(segment: string): boolean {
  if (segment === "." || segment === ".." || /^\.{1,2};/.test(segment)) return false;
  if (!segment.includes("%")) return true;
  if (needlesslyEncoded.test(segment)) return false;
  try {
    decodeURIComponent(segment); // throws for overlong and broken UTF-8
    return true;
  } catch {
    return false;
  }
}

/** Control characters, `-`, `.`, digits, letters, the backslash and `_`. Clients do encode `~`. */
const needlesslyEncoded = /%(?:[01][0-9a-f]|2[de]|3[0-9]|4[1-9a-f]|5[0-9acf]|6[1-9a-f]|7[0-9af])/i;
