import { LRUCache } from "lru-cache";
import type { Environment } from "../../../core/environment.ts";
import type { PlaneMessage } from "../../../core/plane-message.ts";
import type { AuthorizationCodeAuth } from "../../../core/upstream-auth.ts";
import type { CredentialHolder } from "../../../core/upstream-tables.ts";
import { holderKey } from "../../../core/upstream-tables.ts";
import type { UpstreamTokenAnswer, UpstreamTokenQuestion, UpstreamTokens } from "../../../core/upstream-tokens.ts";
import { wantsMoreScopes } from "../../../identity/upstream/bearer-challenge.ts";
import type { Clock } from "../../../kernel/clock.ts";
import { entryLimit } from "../../../kernel/entry-limit.ts";
import { GatewayError } from "../../../kernel/errors.ts";
import type { CredentialAsker, ShownCredential, UpstreamCredential } from "./upstream-credential.ts";

/** Tokens of holders that this gateway has been told, until they end or the control plane says that they are stale. */
export interface HeldTokens {
  readonly clock: Clock;
  apply(message: PlaneMessage): void;
  /** The token, kept or asked for; what else the control plane says where it has none. */
  get(question: UpstreamTokenQuestion): Promise<UpstreamTokenAnswer>;
}

type Token = Extract<UpstreamTokenAnswer, { type: "token" }>;

const keptTokens = 50_000;

/** An empty memory in front of the control plane's vault. Many who want the same token ask once. */
export function createHeldTokens(tokens: UpstreamTokens, clock: Clock): HeldTokens {
  const kept = new LRUCache<string, Map<string, Token>>(entryLimit(keptTokens));
  const running = new Map<string, Promise<UpstreamTokenAnswer>>();
  const ask = async (place: string, question: UpstreamTokenQuestion): Promise<UpstreamTokenAnswer> => {
    const epoch = kept.get(place) ?? new Map<string, Token>();
    kept.set(place, epoch);
    const answer = await tokens.ask(question);
    // Taken away while we asked: then another map stands in its place, and this answer is for this call only.
    if (answer.type === "token") epoch.set(question.client, answer);
    return answer;
  };
  return {
    clock,
    apply(message) {
      if (message.type === "upstream-credential.changed") kept.delete(placeOf(message, message.holder));
      if (message.type === "credentials") kept.clear(); // everything is told anew: changes may have been missed
    },
    async get(question) {
      const place = placeOf(question, holderKey(question.holder));
      const known = kept.get(place)?.get(question.client);
      const isRefused = question.refusedVersion !== undefined && known?.version === question.refusedVersion;
      if (known !== undefined && !isRefused && question.refusal?.status !== 403) {
        if (known.expiresAtMs === null || known.expiresAtMs > clock.now()) return known;
      }
      const key = JSON.stringify([place, question.client, question.refusal, question.refusedVersion]);
      let pending = running.get(key);
      if (pending === undefined) {
        pending = ask(place, question).finally(() => running.delete(key));
        running.set(key, pending);
      }
      return pending;
    },
  };
}

function placeOf({ apiId, environment }: { apiId: string; environment: Environment }, holder: string): string {
  return JSON.stringify([apiId, environment, holder]);
}

export interface HeldTokenParts {
  readonly auth: AuthorizationCodeAuth;
  /** The API whose upstream it is, whoever calls it. */
  readonly apiId: string;
  readonly environment: Environment;
  readonly tokens: HeldTokens;
}

/**
 * Tokens that users or applications have consented to. Without one the request goes up bare: the upstream's own refusal
 * says what it wants, and the person is sent to consent to just that.
 */
export function heldTokenCredential({ auth, apiId, environment, tokens }: HeldTokenParts): UpstreamCredential {
  const questionOf = (asker: CredentialAsker | undefined): UpstreamTokenQuestion | undefined => {
    const holder = holderOf(auth, asker);
    return holder && { apiId, environment, holder, client: asker?.client ?? "" };
  };
  return {
    async show(asker) {
      const question = questionOf(asker);
      if (question === undefined) return bare;
      const answer = await tokens.get(question);
      if (answer.type === "consent") throw consentNeeded(answer.url);
      if (answer.type !== "token") return bare;
      return { headers: { authorization: `Bearer ${answer.accessToken}` }, version: answer.version };
    },
    async refused(asker, shown, challenge) {
      if (challenge.status === 403 && !wantsMoreScopes(challenge)) return false;
      const question = questionOf(asker);
      if (question === undefined) throw nobody(auth);
      const { status, resourceMetadata, scopes } = challenge;
      const refusal = { status, resourceMetadata, scopes };
      const answer = await tokens.get({ ...question, refusal, refusedVersion: shown.version });
      switch (answer.type) {
        case "token":
          return answer.version !== shown.version;
        case "consent":
          throw consentNeeded(answer.url);
        case "refused":
          throw new GatewayError("auth.forbidden", answer.reason);
        case "none":
          return false;
      }
    },
    async isGranted(asker) {
      const question = questionOf(asker);
      return question !== undefined && (await tokens.get(question)).type === "token";
    },
  };
}

const bare: ShownCredential = { headers: {} };

function holderOf({ per }: AuthorizationCodeAuth, asker: CredentialAsker | undefined): CredentialHolder | undefined {
  if (asker === undefined) return undefined;
  const { applicationId, keyManagerId, subject } = asker;
  if (per === "application") return applicationId === undefined ? undefined : { type: "application", applicationId };
  if (keyManagerId === undefined || subject === undefined) return undefined;
  return { type: "user", keyManagerId, subject };
}

function nobody({ per }: AuthorizationCodeAuth): GatewayError {
  const who = per === "user" ? "a user: call with an access token" : "an application: call with a key or token of one";
  return new GatewayError("auth.forbidden", `This server is used with the account of ${who}.`);
}

function consentNeeded(url: string): GatewayError {
  return new GatewayError("auth.consent_needed", `This server needs your consent. Open ${url} and then try again.`, {
    data: { url },
  });
}
