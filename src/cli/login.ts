import { hostname } from "node:os";
import { z } from "zod";
import { GatewayError } from "../kernel/errors.ts";
import { createNetworkPolicy, developmentReach } from "../kernel/network-policy.ts";
import type { SafeFetch, SafeResponse } from "../kernel/safe-fetch.ts";
import { createSafeFetch } from "../kernel/safe-fetch.ts";
import type { ControlOptions } from "./common-options.ts";
import { commandConfig } from "./common-options.ts";
import { addressOf, openControlClient, refusedAnswer } from "./control-client.ts";
import { findLogin, storeLogin } from "./credentials-file.ts";
import type { Shell } from "./shell.ts";

export interface LoginOptions extends ControlOptions {
  readonly days?: string;
  readonly withToken?: boolean;
}

/**
 * Signs in and keeps an access token for later commands; the session that made it ends at once, and the password is kept
 * nowhere. With `--with-token` it keeps the token that comes from the standard input.
 */
export async function login(name: string | undefined, options: LoginOptions, shell: Shell): Promise<void> {
  const { config, credentialsFile } = commandConfig(options, shell);
  const base = options.controlUrl ?? addressOf(config);
  if (options.withToken === true) {
    const token = (await shell.readSecret("Token: ")).trim();
    const who = await whoIs({ ...options, controlUrl: base, token }, shell);
    await storeLogin(credentialsFile, base, { token });
    return shell.out(`signed in at ${base} as ${who}`);
  }
  if (name === undefined) throw new GatewayError("request.invalid", "Name the user: gatehouse login NAME");
  const password = (await shell.readSecret(`Password of ${name}: `)).replace(/\r?\n$/, "");
  const made = await makeToken(base, { name, password, days: Number(options.days ?? "30") });
  await storeLogin(credentialsFile, base, made);
  shell.out(`signed in at ${base} as ${name}`);
}

/** Ends the token that `login` has kept, and forgets it; it is forgotten also where the control plane is away. */
export async function logout(options: ControlOptions, shell: Shell): Promise<void> {
  const { config, credentialsFile } = commandConfig(options, shell);
  const base = options.controlUrl ?? addressOf(config);
  const kept = await findLogin(credentialsFile, base);
  if (kept === undefined) return shell.out(`not signed in at ${base}`);
  if (kept.id !== undefined) await revoke({ ...options, controlUrl: base, token: kept.token }, kept.id, shell);
  await storeLogin(credentialsFile, base, undefined);
  shell.out(`signed out at ${base}`);
}

/** Prints who the next command would be, and what they may do. */
export async function whoAmI(options: ControlOptions, shell: Shell): Promise<void> {
  shell.out(await whoIs(options, shell));
}

const whoSchema = z.looseObject({
  user: z.looseObject({ name: z.string() }).nullable(),
  roles: z.array(z.string()),
});

async function whoIs(options: ControlOptions, shell: Shell): Promise<string> {
  await using control = await openControlClient(options, shell);
  const { user, roles } = whoSchema.parse(await control.call("GET", sessionPath));
  if (user === null) return "the admin token";
  return roles.length === 0 ? user.name : `${user.name} (${roles.join(", ")})`;
}

async function revoke(options: ControlOptions, id: string, shell: Shell): Promise<void> {
  try {
    await using control = await openControlClient(options, shell);
    await control.call("DELETE", `/api/v1/access-tokens/${id}`);
  } catch (error) {
    const text = error instanceof Error ? error.message : "";
    shell.note(`The token could not be ended there: ${text}`);
  }
}

const sessionPath = "/api/v1/session";

const signedInSchema = z.looseObject({ session: z.looseObject({ csrfToken: z.string() }) });
const madeSchema = z.looseObject({ id: z.string(), token: z.string() });

interface SignIn {
  readonly name: string;
  readonly password: string;
  readonly days: number;
}

/** Signs in as a page of the control plane would, makes a token and signs out. */
async function makeToken(base: string, { name, password, days }: SignIn): Promise<{ id: string; token: string }> {
  await using safeFetch = createSafeFetch({
    policy: createNetworkPolicy({ allowCidrs: [], operatorReach: developmentReach }),
  });
  const send = sender(safeFetch, base);
  const signedIn = await send("POST", sessionPath, { name, password });
  const { session } = signedInSchema.parse(signedIn.json());
  const cookie = (signedIn.headers["set-cookie"] ?? "").split(";")[0] ?? "";
  const own = { cookie, "x-csrf-token": session.csrfToken };
  try {
    const input = { name: `gatehouse login on ${hostname()}`.slice(0, 200), expiresInDays: days };
    const { id, token } = madeSchema.parse((await send("POST", "/api/v1/access-tokens", input, own)).json());
    return { id, token };
  } finally {
    await send("DELETE", sessionPath, undefined, own);
  }
}

function sender(safeFetch: SafeFetch, base: string) {
  const { origin } = new URL(base);
  return async (
    method: "POST" | "DELETE",
    path: string,
    body?: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<SafeResponse> => {
    const answer = await safeFetch(`${base.replace(/\/+$/, "")}${path}`, {
      chosenBy: "operator",
      method,
      headers: { origin, ...headers, ...(body && { "content-type": "application/json" }) },
      ...(body && { body: JSON.stringify(body) }),
      timeoutMs: 30_000,
    });
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw refusedAnswer(base, answer);
  };
}
