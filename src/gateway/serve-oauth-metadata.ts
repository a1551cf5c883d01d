import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../kernel/clock.ts";
import { uuidV7 } from "../kernel/ids.ts";
import type { Snapshot } from "../pipeline/snapshot.ts";
import type { TokenVerifier } from "../pipeline/token-verifier.ts";
import type { AcceptOptions } from "./accept-request.ts";
import { acceptAnyPage, ambiguous } from "./accept-request.ts";
import type { AuthRoutes } from "./auth-routes.ts";
import { oauthMetadata, openToPages, writeMetadata } from "./oauth-metadata.ts";

export interface OauthMetadataOptions extends AcceptOptions {
  readonly tokens: TokenVerifier;
  readonly auth?: AuthRoutes | undefined;
  readonly clock: Clock;
}

/**
 * Answers a request for OAuth metadata of an API, and a page's question whether it may ask for it; false where it is for
 * something else, or from a host that is not answered to. Pages of any origin may read these documents: they are public.
 */
export function serveOauthMetadata(
  path: string,
  { incoming, outgoing }: { readonly incoming: IncomingMessage; readonly outgoing: ServerResponse },
  snapshot: Snapshot | undefined,
  options: OauthMetadataOptions,
): boolean {
  const { method } = incoming;
  if (!path.includes("/.well-known/") || (method !== "GET" && method !== "HEAD" && method !== "OPTIONS")) return false;
  const found = oauthMetadata(path, snapshot, options.tokens, options.auth?.issuer);
  if (found === undefined || acceptAnyPage(incoming, options) !== undefined || ambiguous(incoming) !== undefined) {
    return false;
  }
  if (method === "OPTIONS") {
    outgoing.writeHead(204, openToPages);
    outgoing.end();
  } else if (found.type === "resource") writeMetadata(outgoing, found.document);
  else if (found.type === "resident") {
    void options.auth?.handle(found.target, incoming, outgoing, uuidV7(options.clock.now()));
  } else {
    outgoing.writeHead(307, { location: found.url, "cache-control": "public, max-age=60", ...openToPages });
    outgoing.end();
  }
  return true;
}
