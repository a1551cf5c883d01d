import { reachFault } from "../core/token-reach.ts";
import { addressClass } from "../kernel/address-class.ts";
import { errorCodes } from "../kernel/error-codes.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { Identified } from "./define-policy.ts";
import type { Exchange, InboundRequest, Principal } from "./exchange.ts";
import { setLabels } from "./exchange-labels.ts";
import type { Deny, Outcome } from "./outcome.ts";
import { deny } from "./outcome.ts";

const anonymous: Principal = {
  type: "anonymous",
  environment: "production",
  keyId: undefined,
  applicationId: undefined,
  planId: undefined,
  mayCall: undefined,
};

/**
 * Finds out who calls, from the headers alone: sets `exchange.principal`, or gives the refusal. The first policy that
 * recognises a credential decides. Nobody is let in because a chain is empty: only a keyless API knows strangers,
 * and unless the installation allows more, only those on its own machine.
 */
export function identify(exchange: Exchange, from = 0): MaybePromise<Outcome | undefined> {
  const { identify: policies } = exchange.api.chain;
  for (let at = from; at < policies.length; at += 1) {
    const attachment = policies[at];
    const found = attachment?.policy?.identify?.(exchange);
    if (attachment === undefined || found === undefined) continue;
    if (found instanceof Promise) {
      return found.then((later) =>
        later === undefined ? identify(exchange, at + 1) : settle(exchange, attachment.use, later),
      );
    }
    return settle(exchange, attachment.use, found);
  }
  if (exchange.api.keyless !== "nobody") return admitStranger(exchange);
  const message =
    exchange.api.oauth === undefined
      ? "No API key was sent. Send it as `Authorization: Bearer <key>` or in the API's key header."
      : "No credentials were sent. Send an access token, or an API key where one is accepted, as `Authorization: Bearer <…>`.";
  return refused(exchange, deny("auth.missing_credentials", message), "identify");
}

function settle(exchange: Exchange, by: string, found: NonNullable<Identified>): Outcome | undefined {
  if (found.type === "deny") return refused(exchange, found, by);
  exchange.principal = found.principal;
  setLabels(exchange);
  return checkSubscription(exchange, found.principal) ?? closed(exchange);
}

/** The refusal, with what the caller is to show instead: whichever policy refused, each says how it can be satisfied. */
export function refused(exchange: Exchange, refusal: Deny, by: string): Outcome {
  const isAsked = errorCodes[refusal.code].status === 401 || refusal.code === "auth.insufficient_scope";
  if (!isAsked) return { type: "denied", deny: refusal, by };
  const challenges: string[] = [];
  for (const { policy } of exchange.api.chain.identify) {
    const challenge = policy?.challenge?.(exchange, refusal);
    if (challenge !== undefined) challenges.push(challenge);
  }
  if (challenges.length > 0) exchange.responseHeaders["www-authenticate"] = challenges.join(", ");
  return { type: "denied", deny: refusal, by };
}

function admitStranger(exchange: Exchange): Outcome | undefined {
  if (exchange.api.keyless === "anybody" || isFromThisMachine(exchange.inbound)) {
    exchange.principal = anonymous;
    setLabels(exchange);
    return closed(exchange);
  }
  const detail = `${exchange.inbound.clientIp} is not this machine; network.allowKeyless opens keyless APIs to others`;
  const message = "This API may be called from the gateway's own machine only.";
  return { type: "denied", deny: deny("auth.forbidden", message, { detail }), by: "identify" };
}

// After the caller is known: strangers hear nothing of it, and the row says who was refused.
function closed({ api: { suspended } }: Exchange): Outcome | undefined {
  return suspended && { type: "denied", deny: suspended, by: "governance" };
}

// A tunnel or proxy that runs here connects from loopback too; what it passes on comes from elsewhere.
function isFromThisMachine({ clientIp, headers }: InboundRequest): boolean {
  if (headers["forwarded"] !== undefined || headers["x-forwarded-for"] !== undefined) return false;
  // The two that nearly every local client has, before the registers of all special addresses are searched.
  return clientIp === "127.0.0.1" || clientIp === "::1" || addressClass(clientIp) === "loopback";
}

// One that stands and is not active closes the API whether or not it asks for subscriptions: else blocking it would
// only lift the limits of its plan.
function checkSubscription(exchange: Exchange, principal: Principal): Outcome | undefined {
  const { subscription, applicationId } = principal;
  if (subscription === "active") return undefined;
  const outOfReach = subscription === undefined ? lacksReach(exchange, principal) : undefined;
  if (subscription === undefined && outOfReach === undefined && !exchange.api.subscriptionRequired) return undefined;
  const who = principal.type === "token" ? "token" : "key";
  const lack = subscription ?? outOfReach ?? (applicationId === undefined ? "no-application" : "not-subscribed");
  const detail =
    applicationId === undefined
      ? `${principal.keyId ?? principal.caller ?? principal.type} is not associated with an application`
      : `application ${applicationId}: ${lack} at ${exchange.api.id}`;
  const message = `This ${who} may not call this API: ${subscriptionLacks[lack]}.`;
  return { type: "denied", deny: deny("auth.forbidden", message, { detail }), by: "subscription" };
}

// A key was made for the API by who may; a token's client was made for a team. One that the key manager alone knows has
// no team here: whether such count is said of the key manager.
function lacksReach(
  { api }: Exchange,
  { type, teamId, applicationId }: Principal,
): keyof typeof subscriptionLacks | undefined {
  return type === "token" && teamId !== undefined ? reachFault(api, { teamId, applicationId }, false) : undefined;
}

const subscriptionLacks = {
  "other-team": "its client is of another team, and its application is not subscribed to the API",
  "registered-client": "its client registered itself, and the API takes none of those",
  "no-application": "it is not associated with an application, and the API asks for a subscription",
  "not-subscribed": "its application is not subscribed to the API",
  blocked: "the subscription of its application is blocked",
  "on-hold": "the subscription of its application is on hold",
} as const;
