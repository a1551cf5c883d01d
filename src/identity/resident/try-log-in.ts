import type { UserRow } from "../../core/identity-tables.ts";
import { addressBlock } from "../../kernel/address-block.ts";
import { toGatewayError } from "../../kernel/errors.ts";
import { takeRate } from "../../pipeline/take-rate.ts";
import type { ResidentOptions } from "./resident-options.ts";

const attemptsPerAddress = 50;
const attemptsWindowMs = 300_000;

/** Who has logged in, or why nobody has, for the page to say. */
export type LogInAttempt =
  | { readonly user: UserRow }
  | { readonly status: 401 | 429; readonly name: string; readonly problem: string };

/** Checks the name and the password of a log-in form. All pages share one count of attempts for an address. */
export async function tryLogIn(
  { limiter, verifyLogin }: ResidentOptions,
  ip: string,
  fields: URLSearchParams,
): Promise<LogInAttempt> {
  const name = (fields.get("name") ?? "").slice(0, 200);
  const bound = { limit: attemptsPerAddress, windowMs: attemptsWindowMs };
  const room = await takeRate(limiter, { key: `oauth/log-in/${addressBlock(ip)}`, ...bound, amount: 1 });
  if (!room.allowed) return { status: 429, name, problem: "Too many attempts. Wait a few minutes, then try again." };
  try {
    const user = await verifyLogin(name, (fields.get("password") ?? "").slice(0, 1_000), ip);
    return user === undefined ? { status: 401, name, problem: "The name or the password is wrong." } : { user };
  } catch (error) {
    const fault = toGatewayError(error);
    if (fault.code !== "limit.exceeded") throw error;
    return { status: 429, name, problem: fault.message };
  }
}
