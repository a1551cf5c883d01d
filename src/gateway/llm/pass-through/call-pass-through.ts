import { GatewayError } from "../../../kernel/errors.ts";
import type { Answer, Exchange, Frame, Operation } from "../../../pipeline/exchange.ts";
import type { CompiledTarget } from "../../../pipeline/target.ts";
import { traceUpstream } from "../../../pipeline/trace-context.ts";
import { answerHeaders, forwardableHeaders } from "../../headers.ts";
import type { UpstreamRequest, UpstreamResponse } from "../../upstream.ts";
import { isEventStream } from "../../upstream.ts";
import type { UpstreamBody } from "../../upstream-body.ts";
import { noEdits, upstreamBody } from "../body-edits.ts";
import type { LlmCallTools } from "../call-llm.ts";
import { endpointOf, llmTables } from "../compile-llm.ts";
import { errorAnswer } from "../error-answer.ts";
import type { PassThroughRequest } from "../llm-request.ts";
import { llmRequest } from "../llm-request.ts";
import { parseAnswer, refuseEncoded } from "../parse-answer.ts";
import { jsonFrame } from "../parsed-frame.ts";
import { usesModel } from "./endpoints.ts";
import { noteKept } from "./kept-objects.ts";
import { meteredFrames } from "./metered-frames.ts";
import { passThroughUsage } from "./pass-through-usage.ts";

/**
 * One try of what an API has opened beside chats: the client's bytes go on, an upload while it comes, and the answer
 * comes back as it is. Of a JSON answer and of a stream of events the usage is noted, and of the former what the provider keeps
 * from now on.
 */
export async function callPassThrough(
  exchange: Exchange,
  operation: Operation,
  target: CompiledTarget,
  asked: PassThroughRequest,
  tools: LlmCallTools,
): Promise<Answer> {
  const response = await sendPassThrough(exchange, operation, target, asked, tools);
  refuseEncoded(response);
  const headers = answerHeaders(response.headers);
  if (response.status >= 300) return errorAnswer(operation, "openai-chat", response, headers, tools.clock.now());
  const type = response.headers["content-type"];
  if (typeof type === "string") headers["content-type"] = type;
  if (!isJson(type) || asked.path.endsWith("/content")) {
    operation.isUnmetered = usesModel(asked);
    const isMetered = operation.isUnmetered && isEventStream(type);
    const { body } = response;
    const frames = isMetered ? meteredFrames(body, operation, exchange.api.limits.responseBytes) : framesOf(body);
    return streamed(response, headers, frames);
  }
  const bytes = await response.body.whole(exchange.api.limits.responseBytes);
  const message = parseAnswer(bytes);
  operation.usage = usesModel(asked) ? passThroughUsage(message) : undefined;
  operation.isUnmetered = usesModel(asked) && operation.usage === undefined;
  if (tools.affinity !== undefined && (asked.family === "files" || asked.family === "batches"))
    noteKept(exchange, operation, target, message, tools.affinity);
  return { status: response.status, headers, body: { type: "whole", frame: jsonFrame(bytes, message) } };
}

/** Sends what is asked to a target of the API; resolves at the answer's headers. */
export async function sendPassThrough(
  exchange: Exchange,
  operation: Operation,
  target: CompiledTarget,
  { method, path, upload }: Pick<PassThroughRequest, "method" | "path" | "upload">,
  { upstream }: Pick<LlmCallTools, "upstream">,
): Promise<UpstreamResponse> {
  const { provider, origin, basePath } = endpointOf(target);
  if (provider.passThrough === undefined)
    throw new GatewayError("request.not_offered", "The provider has no such endpoint.", { detail: target.id });
  const ready = await provider.passThrough({ method, path });
  const { api, inbound, cancellation } = exchange;
  const headers = forwardableHeaders(inbound.headers, llmTables(api).keyHeader);
  const type = inbound.headers["content-type"];
  if (type !== undefined && method === "POST") headers["content-type"] = type;
  Object.assign(headers, ready.headers, { "x-request-id": exchange.id });
  traceUpstream(exchange, operation, headers);
  let body: UpstreamRequest["body"];
  if (upload !== undefined) {
    const opened = upload.open(target.model, () => void (operation.isSpent = true));
    if (opened.bytes !== undefined) headers["content-length"] = String(opened.bytes);
    ({ body } = opened);
  } else if (operation.body.length > 0)
    body = upstreamBody(operation, llmRequest(operation), target.model, false, noEdits);
  const { timeouts } = api.protocol.upstreams[exchange.principal?.environment ?? "production"];
  const full = { origin, method: ready.method, path: basePath + ready.path, headers, body, timeouts, cancellation };
  return upstream.send(full);
}

/** The answer's bytes while they come; one that breaks off breaks the client's connection off. */
function streamed(
  { status, headers: told, body }: UpstreamResponse,
  headers: Record<string, string>,
  frames: AsyncGenerator<Frame>,
): Answer {
  const length = told["content-length"];
  if (typeof length === "string" && /^\d+$/.test(length)) headers["content-length"] = length;
  return { status, headers, body: { type: "stream", frames, discard: () => body.discard() } };
}

async function* framesOf(body: UpstreamBody): AsyncGenerator<Frame> {
  for await (const bytes of body.chunks()) yield { bytes, message: () => undefined };
}

function isJson(type: string | string[] | undefined): boolean {
  return typeof type === "string" && /^application\/(?:[a-z0-9.-]+\+)?json\s*(?:;|$)/i.test(type);
}
