import type { KeyObject } from "node:crypto";
import type { Clock } from "../kernel/clock.ts";
import type { FieldIssue } from "../kernel/errors.ts";
import type { Log } from "../kernel/log.ts";
import type { AlertSpec } from "./alert.ts";
import type { BudgetBoard } from "./budget-board.ts";
import type { Catalog } from "./catalog.ts";
import type { DenialAudit } from "./denial-audit.ts";
import type { Encryption } from "./encryption.ts";
import type { GatewayFeed } from "./gateway-feed.ts";
import type { GovernanceGate } from "./governance-gate.ts";
import type { KeyManagerConnectors } from "./key-manager-connector.ts";
import type { KeylessReach } from "./keyless-reach.ts";
import type { LastUses } from "./last-uses.ts";
import type { LoginGate } from "./login-gate.ts";
import type { McpDrift } from "./mcp-drift.ts";
import type { McpInspector } from "./mcp-inspection.ts";
import type { DescriptionFetcher } from "./mcp-openapi.ts";
import type { OauthSettings } from "./oauth-settings.ts";
import type { ArtifactSet, PlaneMessage } from "./plane-message.ts";
import type { Rights } from "./rights.ts";
import type { RouteTester } from "./route-test.ts";
import type { PluginSchemas } from "./secret-fields.ts";
import type { SignInSettings } from "./sign-in-settings.ts";
import type { ToolFilterTester } from "./tool-filter-test.ts";
import type { UpstreamBoard } from "./upstream-health.ts";
import type { UpstreamTokens } from "./upstream-tokens.ts";
import type { WebhookSender } from "./webhook-sender.ts";

/** A key and the id that is stored beside what it made. */
export interface NamedKey {
  readonly id: string;
  readonly key: KeyObject;
}

/** Keys by id: new values are made with `current`, old ones are read with the key that they name. */
export interface Keyring {
  readonly current: NamedKey;
  find(id: string): KeyObject | undefined;
}

/** Everything impure that the domain functions use; `main.ts` builds it. */
export interface CoreContext {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly log: Log;
  /** Seals secrets. */
  readonly vaultKeys: Keyring;
  /** Hashes API keys. Its own id and life: rotating the vault's keys leaves it alone. */
  readonly pepper: NamedKey;
  /** `nobody` refuses `keyless` APIs. */
  readonly keylessReach: KeylessReach;
  /** Sends to every gateway, after the transaction that it tells of has been committed. */
  publish(message: PlaneMessage): void;
  /** What gateway processes are told; there are none where it is absent. */
  readonly feed?: GatewayFeed;
  /** What people have at upstream servers, for gateway processes that ask; nobody has anything where it is absent. */
  readonly upstreamTokens?: UpstreamTokens;
  /** What gateways have said of their upstreams; nothing is known of any where it is absent. */
  readonly upstreams?: UpstreamBoard;
  /** How limits stand; nothing is known of any where it is absent. */
  readonly budgets?: BudgetBoard;
  /** Routes requests without sending them; absent where no gateway is in this process. */
  readonly testRoute?: RouteTester;
  /** Filters tools without sending them to a model; absent where no gateway is in this process. */
  readonly testToolFilter?: ToolFilterTester;
  /** The plug-ins of key managers; where it is absent their configuration is checked by nobody. */
  readonly keyManagers?: KeyManagerConnectors;
  /** Looks at MCP servers; nobody can where it is absent. */
  readonly inspectMcp?: McpInspector;
  /** Hears of each definition of an MCP server that is not what was approved, once it is in the catalog; must not throw. */
  readonly onMcpDrift?: (drift: McpDrift) => void;
  /** Fetches OpenAPI descriptions for publications; nobody does where it is absent. */
  readonly fetchDescription?: DescriptionFetcher;
  /** The encryption keys and their rotation; nobody can rotate where it is absent. */
  readonly encryption?: Encryption;
  /** The schemas of all plug-ins, which say what in a resource is secret; where it is absent only references are taken. */
  readonly plugins?: PluginSchemas;
  /** What an alert says that its question does not have, by field; nobody looks where it is absent. */
  readonly checkAlert?: (spec: AlertSpec) => Promise<readonly FieldIssue[]>;
  /** Tells webhooks; nobody does where it is absent. */
  readonly webhooks?: WebhookSender;
  /** Whether keys of applications may be made and used; not when absent. */
  readonly legacyApplicationKeys?: boolean;
  /** Whether a key manager at that host may be called over plain http; at any where it is absent. */
  readonly plainHttp?: (hostname: string) => boolean;
  /** The issuer of the resident key manager; undefined while it is not known or there is none. */
  readonly residentIssuer?: () => string | undefined;
  /** What the configuration says of OAuth clients; the defaults where it is absent. */
  readonly oauth?: OauthSettings;
  /** Holds resources against rulesets; nothing is where it is absent. */
  readonly governance?: GovernanceGate;
  /** Takes the uses of client secrets and access tokens; they are noted nowhere where it is absent. */
  readonly secretUses?: LastUses;
  /** How long sessions and access tokens last; the defaults where it is absent. */
  readonly signIn?: SignInSettings;
  /** Holds back addresses from which passwords are guessed; none is held back where it is absent. */
  readonly addressGate?: LoginGate;
  /** Holds back who guesses passwords; nobody is held back where it is absent. */
  readonly loginGate?: LoginGate;
  /** Puts who was refused into the audit; they are in the log only where it is absent. */
  readonly denials?: DenialAudit;
  /** Compiles the set as a gateway would, and throws it away. No issue means that it may be published. */
  check(set: ArtifactSet): Promise<readonly FieldIssue[]>;
}

/** Who acts. `id` is what the audit row shows: `admin`, `cli`, `quickstart`. */
export interface Actor {
  readonly type: "admin" | "system" | "user" | "token" | "anonymous";
  readonly id: string;
  /** What a user or a token may do; `admin` and `system` may do everything. */
  readonly rights?: Rights;
  /** The call by which they act; absent for what the product does by itself. */
  readonly origin?: ActorOrigin;
}

/** Where a call of the control plane came from, as the audit row shows it. */
export interface ActorOrigin {
  readonly requestId: string;
  /** In canonical form, as `clientAddress` finds it; empty where it is not known. */
  readonly clientAddress: string;
}
