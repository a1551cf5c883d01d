import { hash } from "node:crypto";
import { addressBlock } from "../kernel/address-block.ts";
import type { Clock } from "../kernel/clock.ts";
import { GatewayError, toGatewayError } from "../kernel/errors.ts";
import type { TokenCheck } from "../pipeline/token-verifier.ts";
import type { CheckedToken } from "./judge-token.ts";
import { readCheckedToken } from "./judge-token.ts";
import { maxTokenLength } from "./jwt-check.ts";
import type { LiveKeyManager } from "./live-key-manager.ts";
import { textsOf } from "./read-claims.ts";
import { createVerifiedTokens } from "./verified-tokens.ts";

/** Checks tokens that are no JWT: their servers are asked (RFC 7662). */
export interface OpaqueTokens {
  /**
   * What the servers say; undefined when it is nobody's token as far as they know, or none can be asked. Throws
   * `upstream.…` when one that might know did not answer and no other knew it, and `auth.unavailable` for an address that
   * has shown too many unknown tokens.
   */
  check(
    token: string,
    accepted: readonly LiveKeyManager[],
    clientIp: string,
  ): Promise<CheckedToken | TokenCheck | undefined>;
}

/** For so long a text that was nobody's token is nobody's without asking. */
const unknownForMs = 10_000;
const mostRemembered = 10_000;

/** Unknown tokens that one address may have asked about in a minute. Tokens that are good take nothing. */
const unknownPerAddress = 60;
const windowMs = 60_000;
const mostAddresses = 10_000;

/** Empty: nothing asked yet. Its memory is bounded, and holds no token and no longer than a minute who showed one. */
export function createOpaqueTokens({ clock }: { readonly clock: Clock }): OpaqueTokens {
  const unknown = createVerifiedTokens<number>(mostRemembered);
  const room = createAskingRoom(clock);
  return {
    async check(token, accepted, clientIp) {
      if (token.length > maxTokenLength || !/^[\x21-\x7e]+$/.test(token)) return undefined;
      const asked = whoseToken(token, accepted);
      if (asked === "several") return { type: "refused", detail: severalText };
      if (asked.length === 0) return undefined;
      const digest = hash("sha256", `${asked.map(({ id }) => id).join(" ")} ${token}`, "base64");
      if (clock.monotonic() < (unknown.recall(digest) ?? Number.NEGATIVE_INFINITY)) return undefined;
      const giveBack = room.take(addressBlock(clientIp));
      const found = await firstActive(token, asked, clock.now());
      if (found === undefined) unknown.note(digest, clock.monotonic() + unknownForMs);
      else giveBack();
      return found;
    },
  };
}

/**
 * The key managers that a token is shown to: those whose prefix it has, else the only one without a prefix. A token
 * is a credential, so it is not passed round until somebody knows it.
 */
function whoseToken(token: string, accepted: readonly LiveKeyManager[]): readonly LiveKeyManager[] | "several" {
  const asking = accepted.filter(
    ({ compiled }) => compiled.introspect !== undefined && compiled.rules.introspectionMs !== undefined,
  );
  const matching = asking.filter(({ compiled }) => compiled.rules.opaqueTokens?.(token) === true);
  if (matching.length > 0) return matching;
  const others = asking.filter(({ compiled }) => compiled.rules.opaqueTokens === undefined);
  return others.length > 1 ? "several" : others;
}

const severalText =
  "several key managers of this API ask about tokens that are no JWT: name one in the API, or give each a tokenPrefix";

/** One server that does not answer is no reason not to ask the next; it counts when nobody else knew the token. */
async function firstActive(
  token: string,
  managers: readonly LiveKeyManager[],
  nowMs: number,
): Promise<CheckedToken | undefined> {
  let fault: GatewayError | undefined;
  for (const manager of managers) {
    try {
      const found = await askOne(token, manager, nowMs);
      if (found !== undefined) return found;
    } catch (error) {
      fault ??= toGatewayError(error);
    }
  }
  if (fault !== undefined) throw fault;
  return undefined;
}

async function askOne(token: string, manager: LiveKeyManager, nowMs: number): Promise<CheckedToken | undefined> {
  const { rules, introspect } = manager.compiled;
  if (rules.introspectionMs === undefined || introspect === undefined) return undefined;
  const claims = await introspect(token);
  if (claims["active"] !== true) return undefined;
  if (claims["iss"] !== undefined && !textsOf(claims["iss"]).some((issuer) => rules.issuers.includes(issuer))) {
    return undefined;
  }
  // Servers need not tell when it ends; what they said holds for so long and no longer.
  const untilMs = nowMs + rules.introspectionMs;
  const exp = typeof claims["exp"] === "number" ? claims["exp"] : Math.ceil(untilMs / 1_000);
  return readCheckedToken({ ...claims, exp }, manager, untilMs);
}

interface AskingRoom {
  /** Takes one question of an address; what it gives is called when the token was good. Throws `auth.unavailable`. */
  take(address: string): () => void;
}

function createAskingRoom(clock: Clock): AskingRoom {
  const windows = new Map<string, { untilMs: number; asked: number }>();
  return {
    take(address) {
      const nowMs = clock.monotonic();
      let window = windows.get(address);
      if (window === undefined || window.untilMs <= nowMs) {
        windows.delete(address); // put at the end: the first in the map began longest ago
        window = { untilMs: nowMs + windowMs, asked: 0 };
        windows.set(address, window);
        const [oldest] = windows.size > mostAddresses ? windows.keys() : [];
        if (oldest !== undefined) windows.delete(oldest);
      }
      if (window.asked >= unknownPerAddress) throw tooManyUnknown(window.untilMs - nowMs);
      const taken = window;
      taken.asked += 1;
      return () => {
        taken.asked -= 1;
      };
    },
  };
}

function tooManyUnknown(retryAfterMs: number): GatewayError {
  return new GatewayError("auth.unavailable", "Too many unknown tokens came from this address; wait a minute.", {
    detail: `an address has shown ${unknownPerAddress} unknown tokens within a minute`,
    retryAfterMs,
  });
}
