import type { FeedSeal } from "../core/feed-seal.ts";
import { feedAsker } from "../core/feed-seal.ts";
import type { FeedAnswer, FeedSecrets, FeedTold } from "../core/gateway-feed.ts";
import type { GatewayReport } from "../core/plane-message.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { SafeFetch } from "../kernel/safe-fetch.ts";

export interface ControlPlaneAddress {
  /** Its base URL. */
  readonly url: string;
  /** The gateway's token, read anew after it was refused. */
  token(): Promise<string>;
  readonly fetch: SafeFetch;
}

/** Questions and reports to the control plane, one HTTP call each. */
export interface ControlPlaneCalls {
  /** Undefined when nothing has changed since `version`. Rejects with `auth.invalid_credentials` for a refused token. */
  ask(version: string | undefined): Promise<FeedTold | undefined>;
  report(report: GatewayReport): Promise<void>;
}

const longestAnswerBytes = 1_073_741_824;
const askTimeoutMs = 60_000;
const reportTimeoutMs = 10_000;

/** Calls by the feed's token; the address is the operator's. */
export function createControlPlaneCalls({ url, token, fetch }: ControlPlaneAddress): ControlPlaneCalls {
  const base = url.replace(/\/+$/, "");
  return {
    async ask(version) {
      const own = await token();
      const asker = feedAsker(own);
      const answer = await fetch(`${base}/api/v1/gateway-feed`, {
        chosenBy: "operator",
        maxBytes: longestAnswerBytes,
        timeoutMs: askTimeoutMs,
        headers: {
          authorization: `Bearer ${own}`,
          "x-gatehouse-feed-key": asker.publicKey,
          ...(version !== undefined && { "if-none-match": `"${version}"` }),
        },
      });
      if (answer.status === 304) return undefined;
      if (answer.status !== 200) throw refused(answer.status);
      const { sealed, ...told } = knownAnswer(answer.json());
      return { answer: told, secrets: JSON.parse(asker.open(sealed)) as FeedSecrets }; // sealed by our control plane
    },
    async report(report) {
      const { status } = await fetch(`${base}/api/v1/gateway-reports`, {
        chosenBy: "operator",
        method: "POST",
        timeoutMs: reportTimeoutMs,
        headers: { authorization: `Bearer ${await token()}`, "content-type": "application/json" },
        body: JSON.stringify(report),
      });
      if (status !== 204) throw refused(status);
    },
  };
}

function knownAnswer(body: unknown): FeedAnswer & { readonly sealed: FeedSeal } {
  if (typeof body === "object" && body !== null && "format" in body && body.format === 1) {
    return body as FeedAnswer & { readonly sealed: FeedSeal }; // format 1 is this shape; the token says who wrote it
  }
  throw new GatewayError("upstream.invalid", "The control plane answers in a form that this version does not know.");
}

function refused(status: number): GatewayError {
  if (status === 401) {
    return new GatewayError(
      "auth.invalid_credentials",
      "The control plane refuses this gateway's token: it was revoked, or is another installation's. Add one with: gatehouse gateways tokens add.",
    );
  }
  return new GatewayError("upstream.unavailable", `The control plane answers with ${status}.`);
}
