import { GatewayError } from "../../kernel/errors.ts";
import type { SafeFetch } from "../../kernel/safe-fetch.ts";
import { acceptedMetadata } from "./registration.ts";

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

// Only public clients: a document that anybody can read holds no secret, and keys are not used by any client yet.
function publicClient(document: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return acceptedMetadata({ token_endpoint_auth_method: "none", ...document });
}
