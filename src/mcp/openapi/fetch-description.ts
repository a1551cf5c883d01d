import { createHash } from "node:crypto";
import type { FetchedDescription } from "../../core/mcp-openapi.ts";
import { GatewayError } from "../../kernel/errors.ts";
import type { ChosenBy } from "../../kernel/network-policy.ts";
import type { SafeFetchOptions, SafeResponse } from "../../kernel/safe-fetch.ts";
import { missingDocuments } from "./bundle-documents.ts";
import { readOpenApi } from "./read-openapi.ts";

const limitBytes = 32 * 1024 * 1024;
const documentLimit = 50;
const timeoutMs = 30_000;

type Fetch = (url: string, options: SafeFetchOptions) => Promise<SafeResponse>;

/**
 * A description from its address, which the operator chose. With `follow` the documents that it refers to come with it, 50
 * at most: of its own origin, or from addresses that anybody may choose. Throws `upstream.…` for what does not come, and
 * `resource.invalid` for what cannot be read.
 */
export async function fetchDescription(url: string, follow: boolean, fetch: Fetch): Promise<FetchedDescription> {
  const root = await fetchText(url, "operator", fetch);
  const others = new Map<string, string>();
  const sha256 = createHash("sha256").update(root);
  for (;;) {
    const document = readOpenApi(root, { address: url, others });
    const missing = follow ? missingDocuments(document) : [];
    if (missing.length === 0) {
      return { document: document.root, others: Object.fromEntries(document.others), sha256: sha256.digest("hex") };
    }
    for (const address of missing) {
      if (others.size >= documentLimit) {
        const message = `The description leads to more than ${documentLimit} other documents.`;
        throw new GatewayError("resource.invalid", message);
      }
      // Its host was chosen by the description: on this machine and in private networks only where that is listed.
      const sameOrigin = URL.canParse(address) && new URL(address).origin === new URL(url).origin;
      const text = await fetchText(address, sameOrigin ? "operator" : "response", fetch);
      others.set(address, text);
      sha256.update(`\n${address}\n${text}`);
    }
  }
}

async function fetchText(url: string, chosenBy: ChosenBy, fetch: Fetch): Promise<string> {
  const answer = await fetch(url, { chosenBy, maxBytes: limitBytes, timeoutMs, maxRedirects: 3 });
  if (answer.status === 200) return answer.text();
  throw new GatewayError("upstream.invalid", `${url} answered with ${answer.status}.`);
}
