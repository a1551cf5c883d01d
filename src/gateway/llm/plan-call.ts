import { GatewayError } from "../../kernel/errors.ts";
import type { CompiledProvider, DialectId, ProviderCall } from "../../pipeline/define-provider.ts";
import type { Exchange, Operation } from "../../pipeline/exchange.ts";
import type { CompiledTarget } from "../../pipeline/target.ts";
import { boundEdits, noEdits, upstreamBody } from "./body-edits.ts";
import type { LlmEndpoint } from "./compile-llm.ts";
import { llmTables } from "./compile-llm.ts";
import type { LlmRequest } from "./llm-request.ts";
import { llmRequest } from "./llm-request.ts";
import { translatedBody } from "./translate-call.ts";

/** A call as it is to be made. */
export interface PlannedCall {
  readonly provider: CompiledProvider;
  readonly request: ProviderCall;
  /** The client's dialect is another than the provider's. */
  readonly isTranslated: boolean;
  /** The gateway asks for usage on its own account: the client must not see it. */
  readonly stripUsage: boolean;
}

const openAiOnly: readonly DialectId[] = ["openai-chat"];

/**
 * How the operation is asked of a target: as it is where its provider speaks the client's dialect, else translated. Throws
 * `request.invalid` with the member that cannot be carried over, `request.not_offered` for what the provider has not.
 */
export function planCall(
  exchange: Exchange,
  operation: Operation,
  target: CompiledTarget,
  endpoint: LlmEndpoint,
): PlannedCall {
  const { provider } = endpoint;
  const own = llmRequest(operation);
  const { dialects = openAiOnly } = provider;
  const isSpoken = dialects.includes(own.dialect);
  const dialect = isSpoken ? own.dialect : (dialects[0] ?? "openai-chat");
  const model = target.model ?? operation.name;
  const { stream } = operation;
  if (own.kind !== "chat") return planOther(operation, own, target, provider, dialect, isSpoken);
  if (!isSpoken) {
    const { maxOutputTokens, newestWords = false } = provider;
    const facts = { name: model, newestWords, ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }) };
    const body = translatedBody(operation, dialect, facts, llmTables(exchange.api).maxOutputTokens);
    return {
      provider,
      request: { operation: "chat", dialect, model, stream, body },
      isTranslated: true,
      stripUsage: false,
    };
  }
  const stripUsage = stream && dialect === "openai-chat" && provider.streamUsage && !own.wantsUsage;
  const body = upstreamBody(operation, own, target.model, stripUsage, boundEdits(exchange, endpoint, own));
  return { provider, request: { operation: "chat", dialect, model, stream, body }, isTranslated: false, stripUsage };
}

/** Embeddings are OpenAI's, and tokens are counted by those who speak Anthropic's dialect; neither is translated. */
function planOther(
  operation: Operation,
  own: LlmRequest,
  target: CompiledTarget,
  provider: CompiledProvider,
  dialect: DialectId,
  isSpoken: boolean,
): PlannedCall {
  if (!isSpoken) {
    const wanted = own.kind === "embeddings" ? "embeddings" : "counting tokens";
    throw new GatewayError("request.not_offered", `The provider of this model has no ${wanted}.`, {
      param: "model",
      detail: target.id,
    });
  }
  const kind = own.kind === "count-tokens" ? "count-tokens" : "embeddings";
  const body = upstreamBody(operation, own, target.model, false, noEdits);
  const model = target.model ?? operation.name;
  return {
    provider,
    request: { operation: kind, dialect, model, stream: false, body },
    isTranslated: false,
    stripUsage: false,
  };
}
