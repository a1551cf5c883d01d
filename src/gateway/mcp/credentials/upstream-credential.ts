import type { BearerChallenge } from "../../../identity/upstream/bearer-challenge.ts";
import type { MaybePromise } from "../../../kernel/maybe-promise.ts";
import type { Exchange } from "../../../pipeline/exchange.ts";

/** Whoever a request to an upstream is made for. Copied from the exchange, as a parked call outlives its own. */
export interface CredentialAsker {
  readonly keyManagerId: string | undefined;
  readonly subject: string | undefined;
  readonly applicationId: string | undefined;
  /** The client of the gateway, by its `client_id`; empty where it has none. */
  readonly client: string;
  /** The access token with which the caller has come; it goes to no upstream. */
  readonly token: string | undefined;
}

/** What was shown in one request. */
export interface ShownCredential {
  readonly headers: Readonly<Record<string, string>>;
  /** Names what was shown, where there is more than one of it. */
  readonly version?: string | undefined;
}

/** What the gateway shows to one upstream. */
export interface UpstreamCredential {
  /** For the next request; `asker` is undefined for what the gateway does on its own. */
  show(asker: CredentialAsker | undefined): MaybePromise<ShownCredential>;
  /**
   * The upstream has refused it. True when another one is there to try. Throws `auth.consent_needed` where a person has to
   * do something first. Absent where there is only one and ever the same.
   */
  refused?(asker: CredentialAsker | undefined, shown: ShownCredential, challenge: BearerChallenge): Promise<boolean>;
  /** Whether the asker has what a person had to consent to. Absent where nobody has to. */
  isGranted?(asker: CredentialAsker | undefined): Promise<boolean>;
}

/** Shows nothing. */
export const noCredential: UpstreamCredential = { show: () => nothing };

const nothing: ShownCredential = { headers: {} };

/** The asker behind an exchange; undefined where nobody was asked who they are. */
export function askerOf(exchange: Exchange | undefined): CredentialAsker | undefined {
  const principal = exchange?.principal;
  if (exchange === undefined || principal === undefined) return undefined;
  const { keyManagerId, subject, applicationId, clientId = "" } = principal;
  const token = principal.type === "token" ? tokenIn(exchange) : undefined;
  return { keyManagerId, subject, applicationId, client: clientId, token };
}

/** The token that was checked: in `Authorization`, or in the header of API keys where a key manager's may stand there. */
function tokenIn({ inbound: { headers } }: Exchange): string | undefined {
  const bearer = /^bearer +(\S+)$/i.exec(headers.authorization ?? "")?.[1];
  return bearer?.startsWith("gh_") === true ? undefined : bearer;
}
