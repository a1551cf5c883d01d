// The package ships no types. These are the parts that we use, as its source of version 9 has them; what stands on the
// other side of a hook is `unknown` until it was looked at.

declare module "oidc-provider" {
  import type { IncomingMessage, ServerResponse } from "node:http";

  /** A stored thing or a token; members beyond these depend on its kind. */
  export interface Model {
    readonly kind: string;
    readonly jti: string;
    clientId?: string;
    accountId?: string;
    grantId?: string;
    scope?: string;
    readonly iat?: number;
    readonly exp?: number;
    readonly scopes: ReadonlySet<string>;
    readonly resourceServer?: ResourceServer;
    readonly expiration: number;
    readonly remainingTTL: number;
    readonly tokenType: string;
    save(): Promise<string>;
    destroy(): Promise<void>;
  }

  export interface ResourceServerInfo {
    readonly scope: string;
    readonly audience?: string;
    readonly accessTokenTTL?: number;
    readonly accessTokenFormat?: "opaque" | "jwt";
    readonly jwt?: { readonly sign: { readonly alg: string; readonly kid: string } };
  }

  export interface ResourceServer extends ResourceServerInfo {
    identifier(): string;
    readonly scopes: ReadonlySet<string>;
  }

  /** Metadata of a client, in camel case; members that were asked for as extra ones keep their spelling. */
  export interface Client {
    readonly clientId: string;
    readonly clientName?: string;
    readonly clientUri?: string;
    readonly grantTypes: readonly string[];
    readonly redirectUris: readonly string[];
    readonly applicationType: "web" | "native";
    readonly clientAuthMethod: string;
    readonly clientIdMetadataDocument?: boolean;
    readonly gatehouse?: unknown;
    grantTypeAllowed(type: string): boolean;
    compareClientSecret(secret: string): boolean | Promise<boolean>;
    redirectUriAllowed(uri: string): boolean;
  }

  export interface Grant extends Model {
    addOIDCScope(scope: string): void;
    addResourceScope(resource: string, scope: string): void;
  }

  export interface Interaction {
    readonly uid: string;
    readonly prompt: { readonly name: string; readonly details: Readonly<Record<string, unknown>> };
    readonly params: Readonly<Record<string, unknown>>;
    readonly session?: { readonly accountId?: string };
    readonly grantId?: string;
    readonly returnTo: string;
  }

  interface CookieOptions {
    readonly httpOnly?: boolean;
    readonly sameSite?: "lax";
    readonly secure?: boolean;
    readonly signed?: boolean;
    readonly path?: string;
    readonly maxAge?: number;
  }

  /** Who is logged in at one browser. */
  export interface Session {
    readonly id: string;
    readonly uid: string;
    readonly accountId?: string;
    resetIdentifier(): void;
    loginAccount(details: { readonly accountId: string; readonly amr: readonly string[] }): void;
    save(ttlSeconds: number): Promise<string>;
  }

  /** Koa's context, as far as we touch it. */
  export interface Context {
    readonly req: IncomingMessage;
    readonly res: ServerResponse;
    readonly method: string;
    readonly path: string;
    readonly ip: string;
    status: number;
    type: string;
    body: unknown;
    set(name: string, value: string): void;
    get(name: string): string;
    readonly querystring: string;
    redirect(url: string): void;
    readonly cookies: {
      get(name: string, options?: CookieOptions): string | undefined;
      set(name: string, value: string | null, options?: CookieOptions): void;
    };
    readonly oidc: {
      readonly route: string;
      readonly params: Record<string, unknown> | undefined;
      body?: Record<string, unknown>;
      readonly client: Client;
      readonly entities: Readonly<Record<string, unknown>>;
      readonly session?: { readonly accountId?: string };
      entity(name: string, value: unknown): void;
      urlFor(name: string, options?: object): string;
    };
  }

  export interface Adapter {
    upsert(id: string, payload: Record<string, unknown>, expiresInSeconds: number): Promise<void>;
    find(id: string): Promise<Record<string, unknown> | undefined>;
    findByUserCode(userCode: string): Promise<Record<string, unknown> | undefined>;
    findByUid(uid: string): Promise<Record<string, unknown> | undefined>;
    consume(id: string): Promise<void>;
    destroy(id: string): Promise<void>;
    revokeByGrantId(grantId: string): Promise<void>;
  }

  interface ModelClass<Instance> {
    new (init: Readonly<Record<string, unknown>>): Instance;
    find(id: string, options?: { readonly ignoreExpiration?: boolean }): Promise<Instance | undefined>;
    readonly prototype: Instance;
  }

  export class Provider {
    constructor(issuer: string, configuration: Readonly<Record<string, unknown>>);
    readonly issuer: string;
    /** Trusts the X-Forwarded headers. */
    proxy: boolean;
    silent: boolean;
    readonly AccessToken: ModelClass<Model>;
    readonly Client: ModelClass<Client>;
    readonly Session: { get(context: Context): Promise<Session> };
    cookieName(type: "session" | "interaction" | "resume"): string;
    readonly Grant: ModelClass<Grant>;
    readonly ResourceServer: new (
      identifier: string,
      info: ResourceServerInfo,
    ) => ResourceServer;
    static get ctx(): Context | undefined;
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
    on(event: string, listener: (...parts: readonly never[]) => void): this;
    use(middleware: (context: Context, next: () => Promise<void>) => Promise<void>): this;
    registerGrantType(
      name: string,
      handler: (context: Context) => Promise<void>,
      parameters: readonly string[],
      repeatable: readonly string[],
    ): void;
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<Interaction>;
    interactionFinished(
      request: IncomingMessage,
      response: ServerResponse,
      result: Readonly<Record<string, unknown>>,
      options?: { readonly mergeWithLastSubmission?: boolean },
    ): Promise<void>;
  }

  export default Provider;

  interface ProviderError extends Error {
    readonly error: string;
    readonly error_description?: string;
    readonly statusCode: number;
  }
  export const errors: {
    readonly OIDCProviderError: new (status: number, message: string) => ProviderError;
    readonly InvalidClient: new (description: string, detail?: string) => ProviderError;
    readonly InvalidClientMetadata: new (description: string) => ProviderError;
    readonly InvalidGrant: new (detail: string) => ProviderError;
    readonly InvalidRequest: new (description: string, status?: number) => ProviderError;
    readonly InvalidScope: new (description: string, scope: string) => ProviderError;
    readonly InvalidTarget: new (description?: string) => ProviderError;
    readonly CustomOIDCProviderError: new (error: string, description: string) => ProviderError;
  };
}
