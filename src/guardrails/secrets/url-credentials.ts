import type { Finding } from "../text/find-in-parts.ts";
import { isPlaceholder } from "./randomness.ts";

/** Passwords in URLs and connection strings: of `scheme://user:password@host`, the password (RFC 3986, section 3.2.1). */
export function findUrlCredentials(text: string): readonly Finding[] {
  const found: Finding[] = [];
  for (let at = text.indexOf("://"); at >= 0; at = text.indexOf("://", at + 3)) {
    credentials.lastIndex = at + 3;
    const match = credentials.exec(text);
    const password = match?.[1];
    if (password === undefined || isPlaceholder(password) || /^(?:password|pass|pw|secret)$/i.test(password)) continue;
    const end = credentials.lastIndex - 1;
    found.push({ start: end - password.length, end });
  }
  return found;
}

const credentials = /[^\s/?#:@"'<>]{0,128}:([^\s/?#"'<>@]{3,256})@(?=[\w[])/y;
