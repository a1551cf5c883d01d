import type { CompiledProvider, DialectId, ProviderCall } from "../../pipeline/define-provider.ts";
import type { Answer, Exchange, Operation } from "../../pipeline/exchange.ts";
import type { CompiledTarget } from "../../pipeline/target.ts";
import { boundEdits, upstreamBody } from "./body-edits.ts";
import type { LlmEndpoint } from "./compile-llm.ts";
import { llmTables } from "./compile-llm.ts";
import { llmRequest } from "./llm-request.ts";
import { planOtherCall } from "./plan-other-call.ts";
import { translatedBody } from "./translate-call.ts";

/** A call as it is to be made. */
export interface PlannedCall {
  readonly provider: CompiledProvider;
  readonly request: ProviderCall;
  /** The client's dialect is another than the provider's. */
  readonly isTranslated: boolean;
  /** The gateway asks for usage on its own account: the client must not see it. */
  readonly stripUsage: boolean;
  /** Makes the client's answer of the provider's, of what is no chat. */
  readonly read?: (message: unknown) => Answer["body"];
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
  if (own.kind !== "chat") return planOtherCall(operation, own, target, provider, dialect, isSpoken);
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
