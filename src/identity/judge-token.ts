import { hash } from "node:crypto";
import { createCidrSet, isCidr } from "../kernel/cidr-set.ts";
import { createReferrerSet } from "../kernel/referrer-set.ts";
import type { InboundRequest } from "../pipeline/exchange.ts";
import type { CompiledApi } from "../pipeline/snapshot.ts";
import type { TokenCheck, TokenDemand, TokenPlace, VerifiedToken } from "../pipeline/token-verifier.ts";
import type { IdentityState } from "./identity-state.ts";
import { timeFault } from "./jwt-check.ts";
import type { LiveKeyManager } from "./live-key-manager.ts";
import { audiencesOf, clientIdOf, listsApi, memberAt, scopesOf, textOf, textsOf } from "./read-claims.ts";
import type { RevocableToken } from "./revocation-index.ts";

/** Where a token is shown, and what is asked of it there. */
export interface TokenSituation {
  readonly demand: TokenDemand;
  readonly api: CompiledApi;
  readonly inbound: InboundRequest;
  readonly place: TokenPlace;
  /** The API's resource identifier. */
  readonly resource: string;
}

/** A token whose signature held, read once. */
export interface CheckedToken {
  readonly manager: LiveKeyManager;
  /** Of the manager's keys when the signature was checked. */
  readonly epoch: number;
  /** When it must be checked anew, milliseconds; infinite for a JWT, whose own times are judged. */
  readonly untilMs: number;
  readonly token: VerifiedToken;
  readonly revocable: RevocableToken;
  readonly audiences: readonly string[];
  readonly claims: Readonly<Record<string, unknown>>;
  readonly permitsIp: ((ip: string) => boolean) | undefined;
  readonly permitsReferrer: ((referer: string | undefined) => boolean) | undefined;
  /** The last answer, given again while the client is the same. */
  success: Extract<TokenCheck, { type: "token" }> | undefined;
}

/** Reads what is needed of a token, once. */
export function readCheckedToken(
  claims: Readonly<Record<string, unknown>>,
  manager: LiveKeyManager,
  untilMs = Number.POSITIVE_INFINITY,
): CheckedToken {
  const { rules } = manager.compiled;
  const clientId = clientIdOf(claims, rules);
  const subject = textOf(claims, "sub");
  const secretId = rules.secretIdClaim === undefined ? undefined : textOf(claims, rules.secretIdClaim);
  const iat = claims["iat"];
  const ips = rules.bounds === undefined ? undefined : boundOf(memberAt(claims, rules.bounds.ips));
  const referrers = rules.bounds === undefined ? undefined : boundOf(memberAt(claims, rules.bounds.referrers));
  return {
    manager,
    epoch: manager.keys.epoch,
    untilMs,
    claims,
    audiences: audiencesOf(claims),
    token: {
      keyManagerId: manager.id,
      issuer: manager.issuer,
      clientId,
      subject,
      subjectHash:
        subject === undefined ? undefined : hash("sha256", `${manager.issuer} ${subject}`, "hex").slice(0, 16),
      secretId,
      scopes: scopesOf(claims, rules),
      claims:
        rules.rolesClaim === undefined ? claims : { ...claims, roles: textsOf(memberAt(claims, rules.rolesClaim)) },
      environment: rules.environment?.(claims) ?? "production",
      caller: `tok_${manager.id} ${clientId ?? ""} ${subject ?? ""}`,
    },
    revocable: {
      keyManagerId: manager.id,
      tokenId: textOf(claims, "jti"),
      secretId,
      clientId,
      subject,
      origins: rules.originsClaim === undefined ? undefined : originsOf(claims[rules.originsClaim]),
      issuedAtMs: typeof iat === "number" ? iat * 1_000 : 0,
    },
    permitsIp: ips && ipCheck(ips),
    permitsReferrer: referrers && createReferrerSet(referrers).permits,
    success: undefined,
  };
}

/** Whether a token whose signature held is of use here and now. Looks at nothing but memory. */
export function judgeToken(
  checked: CheckedToken,
  { demand, api, inbound, place, resource }: TokenSituation,
  state: IdentityState,
  nowMs: number,
): TokenCheck {
  const { manager, token, revocable, audiences, claims } = checked;
  const { rules } = manager.compiled;
  if (!manager.record.enabled) return refused("its key manager is not enabled");
  if (demand.keyManagers !== undefined && !demand.keyManagers.includes(manager.record.name)) {
    return refused(`this API does not accept tokens of ${manager.record.name}`);
  }
  if (place === "key-header" && !rules.inKeyHeader) return refused("a token in the header of API keys");
  const late = timeFault(claims, nowMs, rules.clockSkewMs);
  if (late !== undefined) return refused(late);
  const dead = state.revocations.reason(revocable);
  if (dead !== undefined) return refused(dead);
  if (rules.binding.by === "api-list") {
    if (!listsApi(memberAt(claims, rules.binding.claim), api)) return forbidden(`its list does not hold ${api.name}`);
  } else if (!audiences.includes(resource) && !audiences.some((audience) => demand.audience.includes(audience))) {
    return refused(`it is not meant for ${resource}`);
  }
  if (checked.permitsIp?.(inbound.clientIp) === false) return forbidden(`it may not be used from ${inbound.clientIp}`);
  if (checked.permitsReferrer?.(inbound.headers.referer) === false) {
    return forbidden("it may not be used from this referrer");
  }
  const client = token.clientId === undefined ? undefined : state.client(manager.id, token.clientId);
  if (client === undefined && !rules.allowUnknownClients) {
    return refused(token.clientId === undefined ? "it names no client" : "its client is not registered here");
  }
  if (client?.disabled === true) return refused("its client is disabled");
  if (checked.success === undefined || checked.success.client !== client) {
    checked.success = { type: "token", token, client };
  }
  return checked.success;
}

function refused(detail: string): TokenCheck {
  return { type: "refused", detail };
}

function forbidden(detail: string): TokenCheck {
  return { type: "forbidden", detail };
}

function originsOf(value: unknown): RevocableToken["origins"] {
  if (!Array.isArray(value)) return undefined;
  return value
    .filter((origin) => typeof origin === "object" && origin !== null)
    .map((origin) => ({
      tokenId: textOf(origin, "jti"),
      secretId: textOf(origin, "gh_sid"),
      clientId: textOf(origin, "client_id"),
    }));
}

/**
 * What a token may be used from: a list, or text with commas between. Undefined where nothing is said, which is an absent
 * claim, null, empty text and an empty list. Anything else is a bound, and one in which nothing can be read permits nothing.
 */
function boundOf(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  if (Array.isArray(value) && value.length === 0) return undefined;
  return textsOf(value)
    .flatMap((text) => text.split(","))
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

// An entry that cannot be read permits nothing, so a list of only such entries closes the token.
function ipCheck(ips: readonly string[]): (ip: string) => boolean {
  const set = createCidrSet(ips.filter(isCidr));
  return (ip) => set.contains(ip);
}
