import type { IncomingHttpHeaders } from "node:http";
import { z } from "zod";
import { scopeSchema } from "../core/api-spec.ts";
import type { ClientRecord } from "../core/plane-message.ts";
import { nameSchema } from "../core/resource.ts";
import { resourceIdentifier, resourceMetadataUrl } from "../core/resource-identifier.ts";
import type { Identified } from "../pipeline/define-policy.ts";
import { definePolicy } from "../pipeline/define-policy.ts";
import type { Exchange, Principal } from "../pipeline/exchange.ts";
import type { Deny } from "../pipeline/outcome.ts";
import { deny } from "../pipeline/outcome.ts";
import type { TokenCheck, TokenPlace, VerifiedToken } from "../pipeline/token-verifier.ts";

const config = z.strictObject({
  keyManagers: z
    .array(nameSchema)
    .min(1)
    .max(100)
    .optional()
    .meta({ title: "Key managers", description: "Whose tokens are accepted; of all that are enabled when absent." }),
  scopes: z
    .array(scopeSchema)
    .max(100)
    .default([])
    .meta({ title: "Scopes", description: "A token needs all of them." }),
  audience: z
    .array(z.string().min(1).max(1_000))
    .max(20)
    .default([])
    .meta({ title: "Audience", description: "Accepted in `aud` beside the API's own address." }),
  keyHeader: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/, "a header's name")
    .optional()
    .meta({
      title: "Key header",
      description: "The header of API keys, where some key managers' tokens may come too.",
    }),
});

/**
 * Knows callers by an access token (RFC 6750, 2.1) of a key manager that the API accepts. A text that begins as API keys
 * do is left to the policy for those. Callers are told no more than that a token is not valid, or which scopes it needs;
 * the reason is in the log.
 */
export const oauth = definePolicy({
  id: "oauth",
  title: "OAuth",
  summary: "Knows callers by an access token, and which API and scopes it is for.",
  config,
  examples: [{}, { keyManagers: ["resident"], scopes: ["chat:write"] }],
  onError: "deny",
  compile({ keyManagers, scopes, audience, keyHeader }, { tokens }) {
    const header = keyHeader?.toLowerCase();
    const demand = { keyManagers, audience };
    const settle = (exchange: Exchange, check: TokenCheck): Identified => {
      if (check.type !== "token") return refusal(check);
      const lacking = scopes.filter((scope) => !check.token.scopes.includes(scope));
      if (lacking.length > 0) return tooNarrow(lacking);
      return { type: "principal", principal: principalOf(exchange, check.token, check.client) };
    };
    return {
      identify(exchange) {
        const sent = readToken(exchange.inbound.headers, header);
        if (sent === undefined) return undefined;
        if (sent === "ambiguous") return invalid("two different credentials were sent");
        const check = tokens.verify(sent.text, demand, exchange, sent.place);
        return check instanceof Promise ? check.then((later) => settle(exchange, later)) : settle(exchange, check);
      },
      challenge({ api }, refused) {
        const metadata = resourceMetadataUrl(resourceIdentifier(tokens.publicUrl, api));
        const needed = [...new Set([...scopes, ...(refused.scopes ?? [])])];
        const scope = needed.length === 0 ? [] : [`scope="${needed.join(" ")}"`];
        return `Bearer ${[...errorOf(refused), `resource_metadata="${metadata}"`, ...scope].join(", ")}`;
      },
    };
  },
});

type SentToken = { readonly text: string; readonly place: TokenPlace };

/** The token that was sent, unless what was sent is an API key, or nothing. */
function readToken(headers: IncomingHttpHeaders, keyHeader: string | undefined): SentToken | "ambiguous" | undefined {
  const inKeyHeader = keyHeader === undefined || keyHeader === "authorization" ? undefined : headers[keyHeader];
  const { authorization = "" } = headers;
  const inBearer = /^bearer(?: +(.*))?$/i.exec(authorization)?.[1] ?? "";
  const isBearer = inBearer !== "" && !inBearer.startsWith(keyPrefix);
  if (inKeyHeader === undefined) return isBearer ? { text: inBearer, place: "bearer" } : undefined;
  if (typeof inKeyHeader !== "string") return "ambiguous";
  if (isBearer) return inBearer === inKeyHeader ? { text: inBearer, place: "bearer" } : "ambiguous";
  return inBearer === "" && isJwtForm(inKeyHeader) ? { text: inKeyHeader, place: "key-header" } : undefined;
}

/** Every API key begins so, and no JWT does. */
const keyPrefix = "gh_";

function isJwtForm(text: string): boolean {
  return text.startsWith("ey") && text.includes(".");
}

function principalOf(exchange: Exchange, token: VerifiedToken, client: ClientRecord | undefined): Principal {
  const applicationId = client?.applicationId ?? undefined;
  const subscription =
    applicationId === undefined ? undefined : exchange.credentials.subscription(applicationId, exchange.api.id);
  return {
    type: "token",
    environment: client?.environment ?? token.environment,
    keyId: undefined,
    applicationId,
    planId: subscription?.planId,
    subscription: subscription?.state,
    teamId: client?.teamId,
    mayCall: undefined,
    clientId: token.clientId,
    keyManagerId: token.keyManagerId,
    subject: token.subject,
    subjectHash: token.subjectHash,
    secretId: token.secretId,
    scopes: token.scopes,
    claims: token.claims,
    caller: token.caller,
  };
}

function refusal(check: Exclude<TokenCheck, { type: "token" }>): Deny {
  const { detail } = check;
  switch (check.type) {
    case "refused":
      return invalid(detail);
    case "forbidden":
      return deny("auth.forbidden", "This token may not be used for this request.", { detail });
    case "unavailable":
      return deny("auth.unavailable", "Tokens cannot be checked now; try again in a moment.", {
        detail,
        retryAfterMs: 1_000,
      });
  }
}

function invalid(detail: string): Deny {
  return deny("auth.invalid_credentials", "The access token is not valid.", { detail });
}

function tooNarrow(lacking: readonly string[]): Deny {
  return deny("auth.insufficient_scope", "The access token lacks a scope that this API asks for.", {
    detail: `it lacks ${lacking.join(" ")}`,
  });
}

/** What RFC 6750, 3.1 calls the refusal; nothing where no credential was sent. */
function errorOf({ code }: Deny): readonly string[] {
  if (code === "auth.invalid_credentials") return ['error="invalid_token"'];
  return code === "auth.insufficient_scope" ? ['error="insufficient_scope"'] : [];
}
