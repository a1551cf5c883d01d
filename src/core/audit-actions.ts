import type { ResourceKind } from "./resource.ts";

/** What a row of the audit may say was done. An action that is not here does not compile: add its line. */
export const auditActions = {
  "secret.created": "A secret was set for the first time.",
  "secret.updated": "A secret was given another value.",
  "secret.deleted": "A secret was deleted.",
  "apikey.generated": "An API key was made. Its value was shown to the actor, this once.",
  "apikey.regenerated": "An API key was given a new value, which was shown to the actor, this once.",
  "apikey.updated": "The bounds of an API key were changed.",
  "apikey.associated": "An API key was put on an application's account.",
  "apikey.dissociated": "An API key was taken off its application's account.",
  "apikey.revoked": "An API key was ended.",
  "apikey.deleted": "An API key was deleted.",
  "oauthclient.created": "An OAuth client was made, or registered itself. Its first secret was shown, this once.",
  "oauthclient.updated": "An OAuth client was changed, or its metadata document was.",
  "oauthclient.deleted": "An OAuth client was deleted, and its tokens with it.",
  "oauthclient.disabled": "An OAuth client was disabled, and its tokens ended.",
  "oauthclient.enabled": "An OAuth client was enabled again.",
  "oauthclient.associated": "An OAuth client was given to an application.",
  "oauthclient.dissociated": "An OAuth client that had registered itself was taken from its application.",
  "oauthclient.expired": "A client that had registered itself was deleted because nobody used it.",
  "oauthclient.secret-generated": "An OAuth client was given another secret, which was shown to the actor, this once.",
  "oauthclient.secret-ending": "A client secret was given an end.",
  "oauthclient.secret-revoked": "A client secret was ended.",
  "oauthclient.secret-tokens-revoked": "A client secret was ended, and the tokens that were got with it.",
  "user.created": "A user was made.",
  "user.updated": "What is known of a user was changed; a disabled user's tokens ended.",
  "user.password-set": "A user was given a password.",
  "user.deleted": "A user was deleted, whose tokens ended.",
  "session.started": "A user signed in to the control plane.",
  "session.ended": "A user signed out, or a session was ended by somebody else.",
  "accesstoken.created": "An access token was made. Its value was shown to the actor, this once.",
  "accesstoken.revoked": "An access token was ended.",
  "token.revoked": "A token was revoked by the client that had it.",
  "upstream-credential.granted": "Somebody let the gateway use their account at an upstream, or an application's.",
  "upstream-credential.client-allowed": "Somebody let a further client use what they have at an upstream.",
  "upstream-credential.lapsed": "An upstream's server takes a refresh token no more; the holder has to consent anew.",
  "upstream-credential.revoked": "What a holder had at an upstream was taken out of the vault.",
  "mcp-pin.new": "An MCP server offers something that waits for an approval.",
  "mcp-pin.changed": "An MCP server describes something otherwise than was approved.",
  "mcp-pin.approved": "Somebody approved what an MCP server says of something that it offers.",
  "mcp-entry.quarantined": "Something that an MCP server offers breaks a rule, and is hidden until it does not.",
  "mcp-entry.released": "Something that an MCP server offers breaks no such rule any more, or is exempt.",
  "api.suspended": "A deployed API breaks a rule, and gateways refuse its calls until it does not.",
  "api.resumed": "An API that was suspended keeps the rules, is exempt or is deployed no more.",
  "analytics.texts-read": "Somebody read captured texts of a request.",
  "analytics.pruned": "Recorded traffic was taken away before its time.",
  "webhook.retried": "A webhook was told again what it had not taken.",
  "approval.asked": "A call waits until somebody approves it.",
  "approval.approved": "A call that waits was approved: it may be made once.",
  "approval.denied": "A call that waits was refused.",
  "approval.used": "A call that was approved went up.",
  "api.published": "A revision of an API was made and deployed.",
  "api.deployed": "A revision that was there was deployed.",
  "api.undeployed": "An API was taken off the gateways.",
  "gateway.token-added": "A gateway was given a token for its process, which was shown to the actor, this once.",
  "gateway.token-revoked": "A token of a gateway's process was ended.",
  "keymanager.scopes-registered": "Scopes and roles were made at a key manager.",
  "signing-key.rotated": "The resident key manager got a new signing key.",
  "encryption.rotated": "What is sealed was sealed anew with the current key.",
  "uses.forgotten": "Gateways were told to forget what they had learnt from use, or a part of it.",
  "answers.purged": "Gateways were told to drop the answers that they keep of an API.",
  "limit.reset": "What a key, an application or a team had used of its limits was forgotten.",
  "control.denied":
    "A caller was refused by the control plane for lack of a right. Repetitions are counted in `times`.",
  "login.failed": "A password, or a token of the control plane, was wrong. Repetitions are counted in `times`.",
} as const satisfies Record<string, string>;

declare const ofResource: unique symbol;

/** One of the table, or what `resourceAction` makes. */
export type AuditAction = keyof typeof auditActions | (string & { readonly [ofResource]: true });

/** What happened to a resource of a kind: `plan.created`. */
export function resourceAction(kind: Pick<ResourceKind, "kind">, change: ResourceChange): AuditAction {
  return `${kind.kind.toLowerCase()}.${change}` as AuditAction; // every kind has these three, and the reference lists them
}

/** What may happen to every resource. */
export const resourceChanges = ["created", "updated", "deleted"] as const;
export type ResourceChange = (typeof resourceChanges)[number];
