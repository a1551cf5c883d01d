import { GatewayError } from "../kernel/errors.ts";

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** Seconds of a time such as `30d`, `12h`, `90m` or `3600s`. Throws `request.invalid` that names the flag. */
export function secondsOf(flag: string, text: string): number {
  const [, amount, unit] = /^(\d{1,10})([smhd])$/.exec(text) ?? [];
  const factor = unit === undefined ? undefined : unitSeconds[unit];
  if (amount !== undefined && factor !== undefined) return Number(amount) * factor;
  throw new GatewayError("request.invalid", `${flag} ${text}: write a number and s, m, h or d, such as 30d.`);
}
