import { GatewayError } from "./errors.ts";

/**
 * A secret as the value of a header, without the white space around it that files and terminals add. Throws
 * `config.invalid` for one that is empty or that no header can carry (a line break would begin another header); `name`
 * is for the operator's detail, and the secret is in neither text.
 */
export function headerValue(secret: string, name: string): string {
  const trimmed = secret.trim();
  if (/^[\x20-\x7e]+$/.test(trimmed)) return trimmed;
  throw new GatewayError("config.invalid", "The gateway's credentials for this upstream are not usable.", {
    detail: `the secret ${name} is empty or holds characters that a header cannot carry`,
  });
}
