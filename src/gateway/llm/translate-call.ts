import { GatewayError } from "../../kernel/errors.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { DialectId } from "../../pipeline/define-provider.ts";
import type { Answer, Exchange, Operation } from "../../pipeline/exchange.ts";
import type { AnswerContext, InboundDialect, TargetModel, UpstreamDialect } from "../../routing/dialects/dialect.ts";
import { inboundDialects, upstreamDialects } from "../../routing/dialects/index.ts";
import { chatRequest, llmRequest } from "./llm-request.ts";
import { jsonFrame } from "./parsed-frame.ts";

/**
 * The request in the provider's dialect. Throws `request.invalid` with the client's own name of what cannot be carried
 * over, before anything was sent.
 * @param mostOutputTokens what the API lets an answer have
 */
export function translatedBody(
  operation: Operation,
  dialect: DialectId,
  target: TargetModel,
  mostOutputTokens: number | undefined,
): Buffer {
  const asked = chatRequest(operation);
  const bounded = Math.min(asked.maxOutputTokens ?? Infinity, mostOutputTokens ?? Infinity);
  const request = bounded === Infinity ? asked : { ...asked, maxOutputTokens: bounded };
  const written = upstreamDialects[dialect].writeRequest(request, target);
  // A wire format's own `type` is never `deny`: no request has a member of that name at its top.
  if ("type" in written && written["type"] === "deny")
    throw refused(written, inboundDialects[llmRequest(operation).dialect].ownNames);
  return Buffer.from(JSON.stringify(written));
}

function refused(refusal: object, ownNames: InboundDialect["ownNames"]): GatewayError {
  const { message, param } = refusal as { readonly message: string; readonly param?: string }; // a `Deny`, as checked
  if (param === undefined) return new GatewayError("request.invalid", message);
  const own = ownNames[param] ?? param;
  return new GatewayError("request.invalid", message.replace(`\`${param}\``, `\`${own}\``), { param: own });
}

/** What a client hears of an answer that its model could not finish, such as a call that is no JSON. */
export const brokenAnswer = "The model's answer broke off.";

/** A provider's whole answer in the client's dialect; its usage is noted. */
export function translatedAnswer(
  operation: Operation,
  dialect: UpstreamDialect,
  message: unknown,
  model: string,
  context: AnswerContext,
): Answer["body"] {
  const read = dialect.readAnswer(message);
  operation.usage = read.usage ?? operation.usage;
  // Only Responses has a word for it; in the others it would look like an answer that is whole.
  const isBroken = read.candidates.some(({ finish }) => finish === "error");
  if (isBroken && llmRequest(operation).dialect !== "openai-responses")
    throw new GatewayError("upstream.invalid", brokenAnswer);
  const answer = read.model === "" ? { ...read, model } : read;
  const written = inboundDialects[llmRequest(operation).dialect].writeAnswer(answer, context);
  return { type: "whole", frame: jsonFrame(Buffer.from(JSON.stringify(written)), written) };
}

/** What answers of the exchange are written with. */
export function answerContext(exchange: Exchange, operation: Operation, nowMs: number): AnswerContext {
  return { request: chatRequest(operation), exchangeId: exchange.id, nowMs };
}

/** A provider's refusal in the client's dialect, under the status that it is known by there. */
export function translatedError(
  operation: Operation,
  dialect: DialectId,
  status: number,
  bytes: Buffer,
): { readonly status: number; readonly body: Answer["body"] } {
  const error = upstreamDialects[dialect].readError(status, parsed(bytes));
  const written = inboundDialects[llmRequest(operation).dialect].writeError(error);
  const frame = jsonFrame(Buffer.from(JSON.stringify(written.body)), written.body);
  return { status: written.status, body: { type: "whole", frame } };
}

function parsed(bytes: Buffer): unknown {
  const text = bytes.toString("utf8");
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}
