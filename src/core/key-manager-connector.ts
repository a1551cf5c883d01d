import type { FieldIssue } from "../kernel/errors.ts";
import type { Environment } from "./environment.ts";
import type { KeyManagerRecord } from "./plane-message.ts";

/** What the control plane does with key managers elsewhere; the plug-ins do it, `main.ts` hands it in. */
export interface KeyManagerConnectors {
  /** What the plug-in's own schema finds wrong in `with`, or that there is no such plug-in; paths below `spec`. */
  issues(use: string, config: unknown): readonly FieldIssue[];
  /** A connector to one key manager. Dispose it when done. Throws `resource.invalid` for what `issues` finds. */
  open(record: KeyManagerRecord): KeyManagerConnector;
}

/** The management side of one key manager. What a server cannot do is absent. */
export interface KeyManagerConnector extends AsyncDisposable {
  /** The issuers whose tokens it accepts; more than one where the server has old spellings. */
  readonly issuers: readonly string[];
  /** Every URL of its configuration that is called. */
  readonly reaches: readonly string[];
  /** Tries what can be tried without changing anything there. Never rejects. */
  test(): Promise<ConnectionTest>;
  readonly clients?: ClientConnector;
  readonly scopes?: ScopeConnector;
  /** RFC 7662; for tokens that are no JWT. */
  introspect?(token: string): Promise<Readonly<Record<string, unknown>>>;
}

/** What came of trying to reach a key manager, step by step. Holds no credential. */
export interface ConnectionTest {
  readonly ok: boolean;
  readonly steps: readonly ConnectionTestStep[];
}

export interface ConnectionTestStep {
  readonly name: "configuration" | "discovery" | "keys" | "token" | "clients" | "scopes";
  readonly ok: boolean;
  /** What was found, or what went wrong and what to look at. */
  readonly detail: string;
}

/** What an OAuth client is to be at the server. */
export interface RemoteClientSpec {
  readonly name: string;
  readonly environment: Environment;
  readonly grantTypes: readonly string[];
  readonly redirectUris: readonly string[];
  readonly scopes: readonly string[];
  readonly tokenEndpointAuthMethod: "client_secret_basic" | "client_secret_post" | "none";
  readonly accessTokenSeconds?: number;
  readonly refreshTokenSeconds?: number;
}

/** A client as the server made it. `clientSecret` is to be shown once and kept nowhere. */
export interface RemoteClient {
  readonly clientId: string;
  readonly clientSecret: string | undefined;
}

/** Makes and changes OAuth clients at the server. Each throws `upstream.…` when the server does not do it. */
export interface ClientConnector {
  create(client: RemoteClientSpec): Promise<RemoteClient>;
  update(clientId: string, client: RemoteClientSpec): Promise<void>;
  /** Deleting one that is gone is no fault. */
  delete(clientId: string): Promise<void>;
  /** Gives the client another secret; the old one stops working. Absent where the server has no way. */
  rotateSecret?(clientId: string): Promise<RemoteClient>;
}

/** A scope of our APIs, and the roles whose users may have it. */
export interface ScopeSpec {
  readonly name: string;
  readonly displayName?: string;
  readonly description?: string;
  readonly roles?: readonly string[];
}

/** Makes scopes and roles at the server. Those that are there already stay as they are. */
export interface ScopeConnector {
  /** Throws `resource.invalid` for a name that the server would refuse. */
  register(scopes: readonly ScopeSpec[]): Promise<void>;
}
