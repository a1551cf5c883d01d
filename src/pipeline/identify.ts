import { addressClass } from "../kernel/address-class.ts";
import type { Exchange, InboundRequest, Principal } from "./exchange.ts";
import type { Outcome } from "./outcome.ts";
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
export async function identify(exchange: Exchange): Promise<Outcome | undefined> {
  for (const attachment of exchange.api.chain.identify) {
    const result = attachment.policy?.identify?.(exchange);
    const identified = result instanceof Promise ? await result : result;
    if (identified === undefined) continue;
    if (identified.type === "deny") return { type: "denied", deny: identified, by: attachment.use };
    exchange.principal = identified.principal;
    return checkSubscription(exchange, identified.principal);
  }
  if (exchange.api.keyless !== "nobody") return admitStranger(exchange);
  const message = "No API key was sent. Send it as `Authorization: Bearer <key>` or in the API's key header.";
  return { type: "denied", deny: deny("auth.missing_credentials", message), by: "identify" };
}

function admitStranger(exchange: Exchange): Outcome | undefined {
  if (exchange.api.keyless === "anybody" || isFromThisMachine(exchange.inbound)) {
    exchange.principal = anonymous;
    return undefined;
  }
  const detail = `${exchange.inbound.clientIp} is not this machine; network.allowKeyless opens keyless APIs to others`;
  const message = "This API may be called from the gateway's own machine only.";
  return { type: "denied", deny: deny("auth.forbidden", message, { detail }), by: "identify" };
}

// A tunnel or proxy that runs here connects from loopback too; what it passes on comes from elsewhere.
function isFromThisMachine({ clientIp, headers }: InboundRequest): boolean {
  if (headers["forwarded"] !== undefined || headers["x-forwarded-for"] !== undefined) return false;
  return addressClass(clientIp) === "loopback";
}

function checkSubscription(exchange: Exchange, principal: Principal): Outcome | undefined {
  if (!exchange.api.subscriptionRequired || principal.planId !== undefined) return undefined;
  const detail = principal.applicationId
    ? `application ${principal.applicationId} has no live subscription to ${exchange.api.id}`
    : `key ${principal.keyId} is not associated with an application`;
  return {
    type: "denied",
    deny: deny("auth.forbidden", "This key may not call this API.", { detail }),
    by: "subscription",
  };
}
