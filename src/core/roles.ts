/** What can be allowed, in words, and whether it may be held for one team or only for the whole installation. */
export const permissions = {
  "account:self": { per: "team", summary: "See and end the own sessions and tokens, change the own password." },
  "installation:read": { per: "team", summary: "See version, addresses and the hash of the live configuration." },
  "operations:read": { per: "installation", summary: "See the health of upstreams, and credentials that end soon." },
  "resources:apply": { per: "team", summary: "Apply files; each document asks for the permission of its kind too." },
  "apis:read": { per: "team", summary: "See LLM APIs, MCP servers and REST APIs, and their revisions." },
  "apis:write": { per: "team", summary: "Make, change and delete drafts of APIs." },
  "apis:publish": { per: "team", summary: "Publish, deploy and undeploy APIs." },
  "approvals:read": { per: "team", summary: "See calls that wait for a person, or have waited." },
  "approvals:write": { per: "team", summary: "Approve and refuse calls that wait." },
  "providers:read": { per: "team", summary: "See LLM providers; their secrets are masked." },
  "providers:write": { per: "team", summary: "Make, change and delete LLM providers." },
  "plans:read": { per: "team", summary: "See plans." },
  "plans:write": { per: "team", summary: "Make, change and delete plans." },
  "applications:read": { per: "team", summary: "See applications." },
  "applications:write": { per: "team", summary: "Make, change and delete applications." },
  "subscriptions:read": { per: "team", summary: "See subscriptions." },
  "subscriptions:write": { per: "team", summary: "Subscribe, block, change plans, and unsubscribe." },
  "keys:read": { per: "team", summary: "See API keys, masked." },
  "keys:write": { per: "team", summary: "Generate, change, revoke and delete API keys." },
  "limits:write": { per: "team", summary: "Change the limits that an application or a key already has." },
  "oauth-clients:read": { per: "team", summary: "See OAuth clients and their secrets, masked." },
  "oauth-clients:write": { per: "team", summary: "Make, change and delete OAuth clients and their secrets." },
  "secrets:read": { per: "team", summary: "See which secrets there are; nobody sees their values." },
  "secrets:write": { per: "team", summary: "Set and delete secrets, and seal values for files." },
  "governance:read": { per: "team", summary: "See rulesets, policies, exemptions and compliance." },
  "governance:write": { per: "installation", summary: "Change rulesets, governance policies and exemptions." },
  "analytics:read": { per: "team", summary: "Ask questions about recorded traffic; for a team, of its APIs." },
  "alerts:read": { per: "team", summary: "See alerts, how they stand, and what webhooks were told." },
  "alerts:write": { per: "team", summary: "Make, change and delete alerts; for all teams' APIs, in the installation." },
  "analytics:sql": {
    per: "installation",
    summary: "Run statements of your own over the recorded traffic of all teams.",
  },
  "analytics:texts": {
    per: "team",
    summary: "Read the texts that APIs are set to capture; for a team, of its APIs. Each reading is audited.",
  },
  "analytics:prune": { per: "installation", summary: "Take recorded traffic away before its time." },
  "teams:read": { per: "team", summary: "See teams; who has it for a team sees that team." },
  "teams:write": { per: "installation", summary: "Make, change and delete teams." },
  "gateways:read": { per: "team", summary: "See gateways and what is attached to them." },
  "gateways:write": { per: "installation", summary: "Make, change and delete gateways." },
  "key-managers:read": { per: "team", summary: "See key managers; their secrets are masked." },
  "key-managers:write": { per: "installation", summary: "Change key managers, their scopes and signing keys." },
  "users:read": { per: "installation", summary: "See users, their roles, sessions and tokens." },
  "users:write": { per: "installation", summary: "Make, change and delete users and end their sessions and tokens." },
  "audit:read": { per: "installation", summary: "Read, export and verify the audit." },
  "encryption:read": { per: "installation", summary: "See the encryption keys by their ids." },
  "encryption:write": { per: "installation", summary: "Rotate the encryption keys." },
} as const satisfies Record<string, { readonly per: "installation" | "team"; readonly summary: string }>;

/** The right to do one kind of thing: what a route asks for. */
export type Permission = keyof typeof permissions;

/** Every permission, in the order of the table. */
export const allPermissions = Object.keys(permissions) as readonly Permission[]; // the keys of a literal

const everybody = ["account:self", "installation:read", "teams:read", "gateways:read", "key-managers:read"] as const;

/** The roles that there are, and what each may do. Closed: a role is only ever one of these. */
export const roles = {
  admin: { summary: "Everything.", permissions: allPermissions },
  "api-publisher": {
    summary: "Makes, publishes and runs APIs.",
    permissions: [
      ...everybody,
      "operations:read",
      "resources:apply",
      "apis:read",
      "apis:write",
      "apis:publish",
      "approvals:read",
      "approvals:write",
      "providers:read",
      "providers:write",
      "plans:read",
      "plans:write",
      "applications:read",
      "subscriptions:read",
      "subscriptions:write",
      "keys:read",
      "keys:write",
      "limits:write",
      "oauth-clients:read",
      "secrets:read",
      "secrets:write",
      "governance:read",
      "analytics:read",
      "analytics:texts",
      "alerts:read",
      "alerts:write",
    ],
  },
  subscriber: {
    summary: "Uses APIs: has applications, subscribes them and makes their keys.",
    permissions: [
      ...everybody,
      "resources:apply",
      "apis:read",
      "plans:read",
      "applications:read",
      "applications:write",
      "subscriptions:read",
      "subscriptions:write",
      "keys:read",
      "keys:write",
      "oauth-clients:read",
      "oauth-clients:write",
    ],
  },
  "governance-admin": {
    summary: "Decides what APIs must look like, and sees whether they do.",
    permissions: [
      ...everybody,
      "operations:read",
      "resources:apply",
      "apis:read",
      "approvals:read",
      "approvals:write",
      "providers:read",
      "plans:read",
      "applications:read",
      "subscriptions:read",
      "governance:read",
      "governance:write",
      "analytics:read",
      "alerts:read",
      "audit:read",
    ],
  },
  analyst: {
    summary: "Sees what is used, by whom, and at what price.",
    permissions: [
      ...everybody,
      "operations:read",
      "apis:read",
      "plans:read",
      "applications:read",
      "subscriptions:read",
      "analytics:read",
      "analytics:sql",
      "analytics:texts",
      "alerts:read",
      "alerts:write",
    ],
  },
  "read-only": {
    summary: "Sees everything, and changes nothing but the own account.",
    permissions: ["account:self", ...allPermissions.filter((permission) => permission.endsWith(":read"))],
  },
} as const satisfies Record<string, { readonly summary: string; readonly permissions: readonly Permission[] }>;

/** The name of a role. */
export type Role = keyof typeof roles;

/** Every role, in the order of the table. */
export const roleNames = Object.keys(roles) as readonly Role[]; // the keys of a literal

/** What a kind of resource is guarded by. A kind that the table does not have is for those alone who may do everything. */
export function kindPermissions(kind: string): KindPermissions {
  return byKind.get(kind) ?? { read: "encryption:write", write: "encryption:write", shared: false };
}

/** The permissions that one kind of resource is guarded by. */
export interface KindPermissions {
  readonly read: Permission;
  readonly write: Permission;
  /** Whether those of the team `default` may be read, and referred to, by who may read such things for any team. */
  readonly shared: boolean;
}

const api: KindPermissions = { read: "apis:read", write: "apis:write", shared: true };
const governance: KindPermissions = { read: "governance:read", write: "governance:write", shared: true };

const byKind: ReadonlyMap<string, KindPermissions> = new Map([
  ["Team", { read: "teams:read", write: "teams:write", shared: true }],
  ["Gateway", { read: "gateways:read", write: "gateways:write", shared: true }],
  ["KeyManager", { read: "key-managers:read", write: "key-managers:write", shared: true }],
  ["LlmProvider", { read: "providers:read", write: "providers:write", shared: true }],
  ["Plan", { read: "plans:read", write: "plans:write", shared: true }],
  ["Application", { read: "applications:read", write: "applications:write", shared: false }],
  ["LlmApi", api],
  ["McpServer", api],
  ["RestApi", api],
  ["AsyncApi", api],
  ["Subscription", { read: "subscriptions:read", write: "subscriptions:write", shared: false }],
  ["Ruleset", governance],
  ["GovernancePolicy", governance],
  ["Exemption", governance],
  ["Alert", { read: "alerts:read", write: "alerts:write", shared: false }],
]);
