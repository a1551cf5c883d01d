import type { IncomingMessage, ServerResponse } from "node:http";
import type { Provider } from "oidc-provider";
import type { OauthClientRow } from "../../core/identity-tables.ts";
import { keyManager, residentName } from "../../core/key-manager.ts";
import type { PlaneMessage } from "../../core/plane-message.ts";
import { notFound } from "../../core/resource-changes.ts";
import { openSigningKeys } from "../../core/signing-keys.ts";
import type { AuthRefusal } from "./admit-request.ts";
import { admitRequest } from "./admit-request.ts";
import { createProvider } from "./create-provider.ts";
import { createProtectedApis } from "./protected-apis.ts";
import type { ResidentOptions } from "./resident-options.ts";

/** The authorization server that is part of the installation. */
export interface ResidentServer {
  /** Answers one request. `path` is below the issuer's, with its query; `ip` is the client's address. */
  handle(request: IncomingMessage, response: ServerResponse, target: { path: string; ip: string }): Promise<void>;
  /** Takes notice of new keys, and of APIs that come and go. */
  apply(message: PlaneMessage): void;
}

/** Starts it; the first key is made here when there is none. */
export async function createResidentServer(options: ResidentOptions): Promise<ResidentServer> {
  const { context, issuer } = options;
  const keyManagerId = await residentId(options);
  const apis = createProtectedApis(context, options.publicUrl);
  let serving: Promise<ReturnType<Provider["callback"]>> | undefined;
  let servingUntilMs = Number.POSITIVE_INFINITY;
  const open = async (): Promise<ReturnType<Provider["callback"]>> => {
    const keys = await openSigningKeys(context, options.settings.signingAlgorithm);
    servingUntilMs = keys.untilMs ?? Number.POSITIVE_INFINITY;
    return createProvider(options, keyManagerId, keys, apis).callback();
  };
  const current = (): NonNullable<typeof serving> => {
    if (context.clock.now() >= servingUntilMs) {
      serving = undefined; // the key that waited for its time signs now
      servingUntilMs = Number.POSITIVE_INFINITY;
    }
    serving ??= open().catch((error: unknown) => {
      serving = undefined; // the next request tries again
      throw error;
    });
    return serving;
  };
  await current();

  return {
    async handle(request, response, { path, ip }) {
      const refusal = await admitRequest(options, request, { path, ip });
      if (refusal !== undefined) return refuse(request, response, refusal);
      const answer = await current();
      mount(request, issuer, path, ip);
      await answer(request, response);
    },
    apply(message) {
      if (message.type === "artifacts") apis.forget();
      // Also for what is said of the key manager otherwise: making a provider costs some milliseconds and no state.
      if (message.type === "key-manager.put" && message.record.id === keyManagerId) serving = undefined;
    },
  };
}

async function residentId({ context }: ResidentOptions): Promise<OauthClientRow["keyManagerId"]> {
  const resource = await context.catalog.read.resources.find(keyManager.kind, residentName);
  if (resource === undefined) throw notFound(keyManager.kind, residentName);
  return resource.id as OauthClientRow["keyManagerId"]; // found as one
}

/**
 * Writes the request as the library reads it: below its mount point, and with this server's own name and scheme in
 * place of what was sent, because the library makes its addresses of them.
 */
function mount(request: IncomingMessage, issuer: string, path: string, ip: string): void {
  const { pathname, host, protocol } = new URL(issuer);
  request.url = path;
  Object.assign(request, { originalUrl: pathname + path });
  request.headers["x-forwarded-host"] = host;
  request.headers["x-forwarded-proto"] = protocol.slice(0, -1);
  request.headers["x-forwarded-for"] = ip;
}

function refuse(request: IncomingMessage, response: ServerResponse, refusal: AuthRefusal): void {
  const { status, error, description, retryAfterSeconds } = refusal;
  // What is not read would stand before the next request of the connection.
  if (request.method === "POST") response.shouldKeepAlive = false;
  response.writeHead(status, {
    "content-type": "application/json",
    "cache-control": "no-store",
    ...(retryAfterSeconds !== undefined && { "retry-after": String(retryAfterSeconds) }),
  });
  response.end(JSON.stringify({ error, error_description: description }));
}
