import { GatewayError } from "../../../kernel/errors.ts";
import type { McpContext } from "../../../mcp/backend.ts";
import type { ToolRequest } from "../../../mcp/openapi/compile-operation.ts";
import type { ToolAnswer } from "../../../mcp/openapi/tool-result.ts";
import type { UpstreamTimeouts } from "../../../pipeline/adapter.ts";
import type { UpstreamClient, UpstreamRequest, UpstreamResponse } from "../../upstream.ts";
import { sendAuthorized } from "../credentials/send-authorized.ts";
import type { UpstreamCredential } from "../credentials/upstream-credential.ts";
import { askerOf } from "../credentials/upstream-credential.ts";

export interface RequestSender {
  readonly upstream: UpstreamClient;
  readonly credential: UpstreamCredential;
  readonly timeouts: UpstreamTimeouts;
  /** Bytes of an answer that are read; what is beyond is cut off. */
  readonly maxBytes: number;
}

/** Of the client's own headers only those that join traces: everything else is between it and the gateway. */
const passedOn = ["traceparent", "tracestate"] as const;

/**
 * Sends a tool's request to its service. No header of the client's goes along but those of tracing, redirects are not
 * followed, and an answer is read up to its bound. Throws `upstream.…` where no answer came that can be read.
 */
export async function sendRequest(
  { url, method, headers, body }: ToolRequest,
  context: McpContext,
  { upstream, credential, timeouts, maxBytes }: RequestSender,
): Promise<ToolAnswer> {
  const { origin } = new URL(url);
  const path = url.slice(origin.length); // as it was encoded: a parser of URLs might read it anew
  const own = { "user-agent": "gatehouse", "accept-encoding": "identity", ...tracingHeaders(context) };
  const { cancellation } = context;
  const response = await sendAuthorized(credential, askerOf(context.exchange), (shown) =>
    upstream.send({
      origin,
      method: method as UpstreamRequest["method"], // of the methods that tools are made of
      path: path === "" ? "/" : path,
      headers: { ...headers, ...own, ...shown },
      body: body === undefined ? undefined : Buffer.from(body),
      timeouts,
      cancellation,
    }),
  );
  refuseEncoded(response);
  return { status: response.status, headers: response.headers, ...(await readUpTo(response, maxBytes)) };
}

/** What joins this request with the client's. */
export function tracingHeaders({ headers, exchange }: McpContext): Readonly<Record<string, string>> {
  const traced = passedOn.flatMap((name) => {
    const value = headers[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(traced), ...(exchange !== undefined && { "x-request-id": exchange.id }) };
}

function refuseEncoded({ headers, body }: UpstreamResponse): void {
  const encoding = headers["content-encoding"];
  if (encoding === undefined || encoding === "identity") return;
  body.discard();
  throw new GatewayError("upstream.invalid", "The service's answer is compressed, though that was not asked for.", {
    detail: `content-encoding ${String(encoding).slice(0, 40)}`,
  });
}

async function readUpTo({ body }: UpstreamResponse, maxBytes: number): Promise<Pick<ToolAnswer, "body" | "isCut">> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of body.chunks()) {
    pieces.push(piece.subarray(0, maxBytes - bytes));
    bytes += piece.length;
    if (bytes > maxBytes) return { body: Buffer.concat(pieces), isCut: true }; // leaving lets go of the rest
  }
  return { body: Buffer.concat(pieces) };
}
