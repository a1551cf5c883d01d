import { findResidentClient } from "../../core/authenticate-client.ts";
import { GatewayError } from "../../kernel/errors.ts";
import type { SafeFetch } from "../../kernel/safe-fetch.ts";
import { acceptedMetadata } from "./registration.ts";
import type { ResidentOptions } from "./resident-options.ts";

const documentBytes = 5_120; // the limit that the draft recommends
const documentTimeoutMs = 3_000;

/**
 * The library's way out. It fetches client id metadata documents and nothing else: their hosts are chosen by whoever
 * calls, so only public addresses are reached, and what the document says is brought into the form that we take.
 */
export function createDocumentFetch(fetch: SafeFetch): (url: string | URL) => Promise<Response> {
  return async (url) => {
    const answer = await fetch(url, {
      chosenBy: "response",
      headers: { accept: "application/json" },
      maxBytes: documentBytes,
      timeoutMs: documentTimeoutMs,
    });
    if (answer.status !== 200) return new Response(null, { status: 502 });
    const document: unknown = answer.json();
    if (typeof document !== "object" || document === null || Array.isArray(document)) {
      throw new GatewayError("upstream.invalid", "The client's metadata is no JSON object.");
    }
    const headers = Object.entries(answer.headers).filter(([name]) => name === "cache-control" || name === "expires");
    return new Response(JSON.stringify(publicClient({ ...document })), { headers });
  };
}

/** Whether a client that is known by its document may come here, asked at each request: an administrator may shut it out. */
export function createDocumentGate({
  context,
  settings: { documentHosts },
}: Pick<ResidentOptions, "context" | "settings">): (clientId: string) => Promise<boolean> {
  return async (clientId) => {
    // The root's dot at the end names the same host.
    const host = URL.parse(clientId)?.hostname.replace(/\.$/, "");
    if (host === undefined || documentHosts.denied.some((rule) => isHostOf(rule, host))) return false;
    if (documentHosts.allowed?.some((rule) => isHostOf(rule, host)) === false) return false;
    return (await findResidentClient(context, clientId))?.disabled !== true;
  };
}

function isHostOf(rule: string, host: string): boolean {
  const wanted = rule.toLowerCase();
  return wanted.startsWith("*.") ? host.endsWith(wanted.slice(1)) : host === wanted;
}

// Only public clients: a document that anybody can read holds no secret, and keys are not used by any client yet.
function publicClient(document: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return acceptedMetadata({ token_endpoint_auth_method: "none", ...document });
}
