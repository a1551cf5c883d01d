import type { KeyObject } from "node:crypto";
import { createHash, randomBytes } from "node:crypto";
import { z } from "zod";
import type { Clock } from "../../kernel/clock.ts";
import type { SealedValue } from "../../kernel/crypto.ts";
import { equalInConstantTime, seal, unseal } from "../../kernel/crypto.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import { notSignedIn } from "./not-signed-in.ts";

/** Sign-ins that have begun: what belongs to each is with the browser, sealed, and good for one answer. */
export interface SsoStates {
  begin(
    server: string,
    returnTo: string,
  ): { readonly sealed: string; readonly state: string; readonly nonce: string; readonly challenge: string };
  /** Throws `auth.forbidden` for what was not begun here, in this browser, with this server; and for the second answer. */
  finish(
    server: string,
    sealed: string | undefined,
    state: string | undefined,
  ): { readonly nonce: string; readonly verifier: string; readonly returnTo: string };
}

/** How long somebody may take to sign in at the server, in milliseconds. */
export const ssoTimeMs = 600_000;
const maxUsed = 10_000;

const stateSchema = z.strictObject({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  returnTo: z.string(),
  untilMs: z.number(),
});

/** @param key seals what the browser keeps */
export function createSsoStates(key: KeyObject, clock: Clock): SsoStates {
  // Servers take a code once; this holds where one does not. Bounded, as what is in it ends after ten minutes.
  const used = new Map<string, number>();
  const useOnce = (state: string, untilMs: number): void => {
    const nowMs = clock.now();
    for (const [each, endMs] of used) if (endMs <= nowMs || used.size >= maxUsed) used.delete(each);
    if (used.has(state)) throw notSignedIn("the answer was taken before");
    used.set(state, untilMs);
  };
  return {
    begin(server, returnTo) {
      const [state, nonce, verifier] = [randomText(), randomText(), randomText()];
      const untilMs = clock.now() + ssoTimeMs;
      const text = JSON.stringify({ state, nonce, verifier, returnTo, untilMs });
      const sealed = encode(seal(key, "sso", text, boundTo(server)));
      return { sealed, state, nonce, challenge: createHash("sha256").update(verifier).digest("base64url") };
    },
    finish(server, sealed, state) {
      const kept = open(key, sealed, server);
      if (clock.now() >= kept.untilMs) throw notSignedIn("it took too long");
      if (state === undefined || !equalInConstantTime(Buffer.from(state), Buffer.from(kept.state))) {
        throw notSignedIn("the state is another");
      }
      useOnce(state, kept.untilMs);
      return kept;
    },
  };
}

function open(key: KeyObject, sealed: string | undefined, server: string): z.output<typeof stateSchema> {
  if (sealed === undefined) throw notSignedIn("this browser has begun nothing");
  try {
    const [nonce = "", data = ""] = sealed.split(".");
    const value: SealedValue = { v: 1, kid: "sso", nonce: fromUrl(nonce), data: fromUrl(data) };
    return stateSchema.parse(parseJson(unseal(key, value, boundTo(server))));
  } catch (cause) {
    throw notSignedIn("what the browser has kept is not of this server", cause);
  }
}

function encode({ nonce, data }: SealedValue): string {
  return [nonce, data].map((part) => Buffer.from(part, "base64").toString("base64url")).join(".");
}

function fromUrl(text: string): string {
  return Buffer.from(text, "base64url").toString("base64");
}

// With the server's name: an answer of one server does not fit what was begun with another.
function boundTo(server: string): string {
  return `sso/${server}`;
}

function randomText(): string {
  return randomBytes(32).toString("base64url");
}
