import type { Finding } from "../text/find-in-parts.ts";

/**
 * E-mail addresses of a text as `readText` makes it (RFC 5321's addr-spec without quotes, RFC 6531's letters of any
 * script), with `%40` for the sign too. Not the users of remotes (`git@host:path`), of URLs, and of pictures `name@2x.png`.
 */
export function findEmails(text: string): readonly Finding[] {
  const found: Finding[] = [];
  for (let at = text.indexOf("@"); at >= 0; at = text.indexOf("@", at + 1)) add(found, text, at, 1);
  for (let at = text.indexOf("%40"); at >= 0; at = text.indexOf("%40", at + 3)) add(found, text, at, 3);
  return found;
}

const maxLocalUnits = 64;

function add(found: Finding[], text: string, at: number, width: number): void {
  let start = at;
  while (start > 0 && at - start < maxLocalUnits && isLocal(text.charCodeAt(start - 1))) start -= 1;
  while (start < at && /[.'%-]/.test(text[start] ?? "")) start += 1;
  if (start === at || text[at - 1] === ".") return;
  domain.lastIndex = at + width;
  const match = domain.exec(text)?.[0];
  if (match === undefined || isOther(text, start, at, match, at + width)) return;
  found.push({ start, end: at + width + match.length, tail });
}

const domain =
  /(?:[a-z0-9\u00a1-\ud7ff](?:[a-z0-9\u00a1-\ud7ff-]{0,61}[a-z0-9\u00a1-\ud7ff])?\.){1,16}(?:xn--[a-z0-9-]{2,40}|[a-z\u00a1-\ud7ff]{2,24})(?![a-z0-9\u00a1-\ud7ff])/iy;

const tail = /[\w.@%+-]*/y;

/** Letters, digits and `. _ % + ' -`; of what RFC 5322 allows besides, all is more often a delimiter. */
function isLocal(code: number): boolean {
  if ((code >= 97 && code <= 122) || (code >= 64 + 1 && code <= 90) || (code >= 48 && code <= 57)) return true;
  return code === 46 || code === 95 || code === 37 || code === 43 || code === 39 || code === 45 || code >= 0xa1;
}

function isOther(text: string, start: number, at: number, host: string, from: number): boolean {
  const before = text[start - 1] ?? "";
  if (before === "@" || text.slice(start - 2, start) === "//") return true;
  const user = text.slice(start, at);
  if (user === "git" && /[:/]/.test(text[from + host.length] ?? "")) return true;
  if (before === ":" && /:\/\/[^\s/]{0,64}$/.test(text.slice(Math.max(0, start - 70), start))) return true;
  return /^\d+x\.(?:png|jpe?g|gif|webp|svg|avif)$/i.test(host);
}
