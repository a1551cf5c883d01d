import type { IncomingHttpHeaders } from "node:http";
import { z } from "zod";
import { parseApiKey } from "../../core/api-key-format.ts";
import type { CredentialRecord } from "../../core/plane-message.ts";
import type { CredentialIndex } from "../../pipeline/credential-index.ts";
import { definePolicy } from "../../pipeline/define-policy.ts";
import type { Exchange, Principal } from "../../pipeline/exchange.ts";
import type { Deny } from "../../pipeline/outcome.ts";
import { deny } from "../../pipeline/outcome.ts";
import type { CredentialBounds } from "./credential-bounds.ts";
import { createBoundsCache } from "./credential-bounds.ts";
import { createKeyBudgets } from "./key-budgets.ts";

const config = z.strictObject({
  header: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/, "a header's name")
    .default("apikey")
    .meta({ title: "Header", description: "The header that carries the key, beside `Authorization: Bearer`." }),
});

/**
 * Knows callers by an API-bound key in the configured header, as a bearer token (RFC 6750, 2.1) or, where neither was
 * sent, in the header that clients of the API's protocol use; never by the query string, which ends up in logs. Nothing is looked up for a text that is not a key by its grammar and checksum.
 *
 * An unknown, wrong or expired key is 401; one that is bound to another API, or used from elsewhere, is 403. Callers
 * are told no more than that; the reason is in the log.
 */
export const apiKey = definePolicy({
  id: "api-key",
  title: "API key",
  summary: "Knows callers by their API-bound key, and where and how long it may be used.",
  config,
  examples: [{ header: "apikey" }, { header: "x-api-key" }, {}],
  onError: "deny",
  compile({ header }, tools) {
    const { clock } = tools;
    const name = header.toLowerCase();
    const boundsOf = createBoundsCache(createKeyBudgets(tools));
    return {
      identify(exchange) {
        const sent = readCredential(exchange.inbound.headers, name, exchange.api.adapter.keyHeader);
        if (sent.type === "none") return undefined;
        if (sent.type === "ambiguous") return invalid("two different credentials were sent");
        const record = exchange.credentials.recognise(sent.text) ?? verify(exchange.credentials, sent.text);
        if ("type" in record) return record;
        const bounds = boundsOf(record);
        const refusal = checkBounds(exchange, record, bounds, clock.now());
        if (refusal !== undefined) return refusal;
        exchange.credentials.used(record.id, clock.now());
        return { type: "principal", principal: principalOf(exchange, record, bounds) };
      },
    };
  },
});

function verify(credentials: CredentialIndex, text: string): CredentialRecord | Deny {
  const publicId = parseApiKey(text);
  if (publicId === undefined) return invalid("not a key by its form");
  const record = credentials.find(publicId);
  if (record === undefined) return invalid(`no key ${publicId}`);
  return credentials.matches(record, text) ? record : invalid(`not the secret of key ${publicId}`);
}

type Credential =
  | { readonly type: "none" }
  | { readonly type: "ambiguous" }
  | { readonly type: "one"; readonly text: string };

// The protocol's own header counts where nothing else was sent: clients put a word without meaning into it when their
// true credential is a bearer.
function readCredential(headers: IncomingHttpHeaders, name: string, ofProtocol: string | undefined): Credential {
  const inHeader = name === "authorization" ? undefined : headers[name];
  const bearer = /^bearer(?: +(.*))?$/i.exec(headers.authorization ?? "");
  const inBearer = bearer === null ? undefined : (bearer[1] ?? "");
  if (inHeader === undefined) {
    const text = inBearer ?? (ofProtocol === undefined ? undefined : headers[ofProtocol]);
    return typeof text === "string" ? { type: "one", text } : { type: "none" };
  }
  if (typeof inHeader !== "string") return { type: "ambiguous" };
  return inBearer === undefined || inBearer === inHeader ? { type: "one", text: inHeader } : { type: "ambiguous" };
}

function checkBounds(
  { api, inbound, credentials }: Exchange,
  record: CredentialRecord,
  bounds: CredentialBounds,
  nowMs: number,
): Deny | undefined {
  if (record.apiId === null) {
    const isSubscribed = record.applicationId !== null && credentials.subscription(record.applicationId, api.id);
    if (!isSubscribed) return forbidden(`key ${record.id} is of an application that is not subscribed to ${api.id}`);
  } else if (record.apiId !== api.id) return forbidden(`key ${record.id} is bound to ${record.apiId}`);
  if (record.expiresAtMs !== null && record.expiresAtMs <= nowMs) return invalid(`key ${record.id} has expired`);
  if (!bounds.permitsIp(inbound.clientIp))
    return forbidden(`key ${record.id} may not be used from ${inbound.clientIp}`);
  if (!bounds.permitsReferrer(inbound.headers.referer)) {
    return forbidden(`key ${record.id} may not be used from this referrer`);
  }
  return undefined;
}

function principalOf(exchange: Exchange, record: CredentialRecord, bounds: CredentialBounds): Principal {
  const applicationId = record.applicationId ?? undefined;
  const subscription =
    applicationId === undefined ? undefined : exchange.credentials.subscription(applicationId, exchange.api.id);
  return {
    type: "api-key",
    environment: record.environment,
    keyId: record.id,
    applicationId,
    planId: subscription?.planId,
    subscription: subscription?.state,
    teamId: record.teamId,
    labels: record.labels,
    budgets: bounds.budgets,
    mayCall: bounds.mayCall,
  };
}

function invalid(detail: string): Deny {
  return deny("auth.invalid_credentials", "The API key is not valid.", { detail });
}

function forbidden(detail: string): Deny {
  return deny("auth.forbidden", "This API key may not be used for this request.", { detail });
}
