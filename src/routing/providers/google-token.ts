import { importPKCS8, SignJWT } from "jose";
import { z } from "zod";
import { GatewayError } from "../../kernel/errors.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { PluginTools } from "../../pipeline/plugin.ts";

const serviceAccount = z.looseObject({
  client_email: z.string().min(1),
  private_key: z.string().min(1),
  private_key_id: z.string().optional(),
  token_uri: z.url({ protocol: /^https?$/ }).default("https://oauth2.googleapis.com/token"),
});

const tokenAnswer = z.looseObject({ access_token: z.string().min(1).max(8_192), expires_in: z.number().positive() });

const earlyMs = 300_000;

interface Held {
  readonly account: string;
  readonly token: string;
  readonly refreshAtMs: number;
  readonly expiresAtMs: number;
}

/**
 * Access tokens for a service account's JSON key: asked for once for all calls that wait, kept until five minutes before
 * they expire, and for as long as they are good where a new one is not to be had. Another key is used at once.
 *
 * Throws `upstream.credentials` when the key is none or is refused, and what `fetch` throws.
 * @see https://developers.google.com/identity/protocols/oauth2/service-account#httprest
 */
export function googleToken({ clock, fetch }: Pick<PluginTools, "clock" | "fetch">) {
  let held: Held | undefined;
  let asked: { readonly account: string; readonly answer: Promise<Held> } | undefined;

  async function renew(account: string): Promise<Held> {
    if (asked?.account === account) return asked.answer;
    const mine = { account, answer: askForToken(account, clock.now(), fetch) };
    asked = mine;
    try {
      held = await mine.answer;
      return held;
    } finally {
      if (asked === mine) asked = undefined;
    }
  }

  return (account: string): MaybePromise<string> => {
    const current = held?.account === account && clock.now() < held.expiresAtMs ? held : undefined;
    if (current !== undefined && clock.now() < current.refreshAtMs) return current.token;
    const renewed = renew(account).then(({ token }) => token);
    return current === undefined ? renewed : renewed.catch(() => current.token);
  };
}

async function askForToken(account: string, nowMs: number, fetch: PluginTools["fetch"]): Promise<Held> {
  const key = readAccount(account);
  const assertion = await sign(key, Math.floor(nowMs / 1_000));
  const answer = await fetch(key.token_uri, {
    chosenBy: "operator",
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
    body: new URLSearchParams({ grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion }).toString(),
    maxBytes: 65_536,
  });
  const read = answer.status === 200 ? tokenAnswer.safeParse(answer.json()) : undefined;
  if (read?.success !== true) throw refused(`status ${answer.status}`);
  const lifeMs = read.data.expires_in * 1_000;
  return {
    account,
    token: read.data.access_token,
    expiresAtMs: nowMs + lifeMs,
    refreshAtMs: nowMs + Math.max(lifeMs - earlyMs, lifeMs / 2),
  };
}

function readAccount(account: string): z.output<typeof serviceAccount> {
  let value: unknown;
  try {
    value = parseJson(account);
  } catch {
    // told below; the parser's own words could quote the key
  }
  const read = serviceAccount.safeParse(value);
  if (!read.success) throw refused("the secret is not the JSON key of a service account");
  return read.data;
}

async function sign(key: z.output<typeof serviceAccount>, nowSeconds: number): Promise<string> {
  const { private_key_id: kid } = key;
  try {
    return await new SignJWT({ scope: "https://www.googleapis.com/auth/cloud-platform" })
      .setProtectedHeader({ alg: "RS256", typ: "JWT", ...(kid === undefined ? {} : { kid }) })
      .setIssuer(key.client_email)
      .setAudience(key.token_uri)
      .setIssuedAt(nowSeconds)
      .setExpirationTime(nowSeconds + 3_600)
      .sign(await importPKCS8(key.private_key, "RS256"));
  } catch {
    throw refused("the private key of the service account cannot be read");
  }
}

function refused(detail: string): GatewayError {
  const message = "The provider refused the gateway's own credentials; the operator must renew its secret.";
  return new GatewayError("upstream.credentials", message, { detail });
}
