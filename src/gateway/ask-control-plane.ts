import type { ApprovalAnswer } from "../core/approval-question.ts";
import type { FeedSeal } from "../core/feed-seal.ts";
import { feedAsker } from "../core/feed-seal.ts";
import type { FeedAnswer, FeedSecrets, FeedTold } from "../core/gateway-feed.ts";
import type { GatewayReport } from "../core/plane-message.ts";
import type { UpstreamTokenAnswer, UpstreamTokens } from "../core/upstream-tokens.ts";
import { GatewayError } from "../kernel/errors.ts";
import { parseJson } from "../kernel/parse-json.ts";
import type { SafeFetch, SafeResponse } from "../kernel/safe-fetch.ts";
import type { ApprovalDesk } from "../pipeline/approval-desk.ts";

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
  /** Calls that wait for a person. */
  readonly approvals: Pick<ApprovalDesk, "ask" | "answer">;
  /** What people have at upstream servers; sealed on its way, and kept nowhere on a disk. */
  readonly upstreamTokens: UpstreamTokens;
  report(report: GatewayReport): Promise<void>;
}

const longestAnswerBytes = 1_073_741_824;
const askTimeoutMs = 60_000;
const reportTimeoutMs = 10_000;

/** Calls by the feed's token; the address is the operator's. */
export function createControlPlaneCalls({ url, token, fetch }: ControlPlaneAddress): ControlPlaneCalls {
  const base = url.replace(/\/+$/, "");
  const post = async (
    path: string,
    body: unknown,
    { token: own = token(), ...more }: PostOptions = {},
  ): Promise<SafeResponse> =>
    fetch(`${base}${path}`, {
      chosenBy: "operator",
      method: "POST",
      timeoutMs: reportTimeoutMs,
      headers: { authorization: `Bearer ${await own}`, "content-type": "application/json", ...more.headers },
      body: JSON.stringify(body),
      ...(more.signal && { signal: more.signal }),
    });
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
      return { answer: told, secrets: parseJson(asker.open(sealed)) as FeedSecrets }; // sealed by our control plane
    },
    async report(report) {
      const { status } = await post("/api/v1/gateway-reports", report);
      if (status !== 204) throw refused(status);
    },
    upstreamTokens: {
      async ask(question, signal) {
        const own = await token();
        const asker = feedAsker(own);
        const headers = { "x-gatehouse-feed-key": asker.publicKey };
        const answer = await post("/api/v1/gateway-upstream-tokens", question, { token: own, headers, signal });
        if (answer.status !== 200) throw refused(answer.status);
        const { sealed } = answer.json() as { readonly sealed: FeedSeal }; // of our own control plane
        return parseJson(asker.open(sealed)) as UpstreamTokenAnswer; // as above
      },
    },
    approvals: {
      async ask(question) {
        const answer = await post("/api/v1/gateway-approvals", question);
        if (answer.status !== 200) throw refused(answer.status);
        return answer.json() as ApprovalAnswer; // of our own control plane
      },
      async answer(id, secret, decision) {
        const body = { token: secret, ...decision };
        const { status } = await post(`/api/v1/approvals/${encodeURIComponent(id)}/answer`, body);
        if (status !== 200) throw refused(status);
      },
    },
  };
}

interface PostOptions {
  readonly token?: string | Promise<string>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
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
