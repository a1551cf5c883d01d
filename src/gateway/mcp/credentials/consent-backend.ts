import type { Clock } from "../../../kernel/clock.ts";
import { GatewayError } from "../../../kernel/errors.ts";
import type { McpBackend, McpCall, McpContext, McpReply } from "../../../mcp/backend.ts";
import { isObject } from "../../../mcp/wire/json-rpc.ts";
import type { UpstreamCredential } from "./upstream-credential.ts";
import { askerOf } from "./upstream-credential.ts";

export interface ConsentTools {
  readonly clock: Clock;
}

/** Begins the state that a client brings back when it has shown its person the page. */
const statePrefix = "consent.";
const inputKey = "consent";

/** How long a call waits for the person at the page, once the client has said that they are there. */
const waitMs = 120_000;
const pollMs = 1_000;

/**
 * A backend whose upstream wants a person's consent. A call that lacks it asks the client to open the page, where it can
 * (elicitation in URL mode), waits for the person, and goes on; to other clients the answer names the page. The state that
 * clients carry meanwhile stands for nothing: who has consented is looked up under the caller's own name.
 */
export function withConsent(inner: McpBackend, credential: UpstreamCredential, { clock }: ConsentTools): McpBackend {
  return {
    ...inner,
    async request(given, context) {
      const { call, answer } = withoutOwnState(given);
      if (answer !== undefined && answer !== "accept") return declined(call);
      if (answer === "accept") await untilGranted(credential, context, clock);
      try {
        return await inner.request(call, context);
      } catch (error) {
        const url = consentUrl(error);
        if (url === undefined) throw error;
        return askFor(url, call, context, error);
      }
    },
  };
}

type Action = "accept" | "decline" | "cancel";

function withoutOwnState(given: McpCall): { readonly call: McpCall; readonly answer: Action | undefined } {
  const { requestState, inputResponses, ...params } = given.params;
  if (typeof requestState !== "string" || !requestState.startsWith(statePrefix))
    return { call: given, answer: undefined };
  const responses = isObject(inputResponses) ? inputResponses : {};
  const response = Object.hasOwn(responses, inputKey) ? responses[inputKey] : undefined;
  const action = isObject(response) ? response["action"] : undefined;
  return { call: { ...given, params }, answer: action === "accept" || action === "decline" ? action : "cancel" };
}

function consentUrl(error: unknown): string | undefined {
  if (!(error instanceof GatewayError) || error.code !== "auth.consent_needed") return undefined;
  const url = error.data?.["url"];
  return typeof url === "string" ? url : undefined;
}

/** Requests that may ask for input (2026-07-28, basic/patterns/mrtr). */
const mayAsk: ReadonlySet<string> = new Set(["tools/call", "prompts/get", "resources/read"]);

function askFor(url: string, { method }: McpCall, { client }: McpContext, error: unknown): McpReply {
  const { elicitation } = client.capabilities;
  const opensUrls = isObject(elicitation) && isObject(elicitation["url"]);
  if (opensUrls && mayAsk.has(method)) {
    const params = { mode: "url", message: text, url, elicitationId: idOf(url) };
    const inputRequests = { [inputKey]: { method: "elicitation/create", params } };
    return { result: { resultType: "input_required", inputRequests, requestState: `${statePrefix}1` } };
  }
  if (method !== "tools/call") throw error;
  // A model reads its tools' errors, and tells its person; errors of the protocol often end in a log.
  const content = [{ type: "text", text: `${text} Ask the user to open this address in a browser: ${url}` }];
  return { result: { content, isError: true } };
}

const text = "This server needs the user's consent before it can be used through the gateway.";

function idOf(url: string): string {
  return url.slice(-32).replaceAll(/[^\w-]/g, "");
}

function declined({ method }: McpCall): McpReply {
  const message = "The user has not consented to the use of this server.";
  if (method === "tools/call") return { result: { content: [{ type: "text", text: message }], isError: true } };
  throw new GatewayError("auth.forbidden", message);
}

/** Waits until the control plane has the person's consent; gives up quietly, as the call itself then says what is missing. */
async function untilGranted(
  { isGranted }: UpstreamCredential,
  { exchange, cancellation }: McpContext,
  clock: Clock,
): Promise<void> {
  const asker = askerOf(exchange);
  const endMs = clock.monotonic() + waitMs;
  while (clock.monotonic() < endMs && !cancellation.isCancelled) {
    if (isGranted === undefined || (await isGranted(asker))) return;
    await new Promise<void>((resolve) => void clock.after(pollMs, resolve));
  }
}
