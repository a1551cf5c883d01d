import type { ByteEdit } from "../../kernel/json-scan.ts";
import { scanJson, spliceBytes } from "../../kernel/json-scan.ts";
import type { Exchange, Operation } from "../../pipeline/exchange.ts";
import { answerBounds } from "./answer-bound.ts";
import type { LlmEndpoint } from "./compile-llm.ts";
import { llmTables } from "./compile-llm.ts";
import type { LlmRequest } from "./llm-request.ts";

/** The client's bytes; the model's name and the wish for usage are put in where the target needs them. */
export function upstreamBody(
  operation: Operation,
  request: LlmRequest,
  model: string | undefined,
  injectsUsage: boolean,
  bounds: readonly ByteEdit[],
): Buffer {
  const edits: ByteEdit[] = [...bounds];
  const modelAt = request.scan.members.get("model");
  if (model !== undefined && model !== operation.name && modelAt !== undefined) {
    edits.push({ start: modelAt[0], end: modelAt[1], replacement: JSON.stringify(model) });
  }
  if (injectsUsage) edits.push(usageEdit(request, operation.body));
  return edits.length === 0 ? operation.body : spliceBytes(operation.body, edits);
}

/** For a body that goes as it is. */
export const noEdits: readonly ByteEdit[] = [];

/** Puts the API's own bound on answers into a request that asks for more, or says nothing. */
export function boundEdits({ api }: Exchange, { provider }: LlmEndpoint, request: LlmRequest): readonly ByteEdit[] {
  const { maxOutputTokens } = llmTables(api);
  if (maxOutputTokens === undefined || request.kind !== "chat") return noEdits;
  const { members, insertAt } = request.scan;
  const said = answerBounds.flatMap((name) => {
    const at = members.get(name);
    return at === undefined ? [] : [{ at, value: request.json[name] }];
  });
  const replacement = String(maxOutputTokens);
  if (said.length === 0) {
    if (request.dialect !== "openai-chat") {
      const name = request.dialect === "anthropic-messages" ? "max_tokens" : "max_output_tokens";
      return [{ start: insertAt, end: insertAt, replacement: `"${name}":${replacement},` }];
    }
    // OpenAI's newer models refuse the older name, which is the one that all others know.
    const name = provider.newestWords === true ? "max_completion_tokens" : "max_tokens";
    return [{ start: insertAt, end: insertAt, replacement: `"${name}":${replacement},` }];
  }
  return said
    .filter(({ value }) => typeof value !== "number" || value > maxOutputTokens)
    .map(({ at: [start, end] }) => ({ start, end, replacement }));
}

function usageEdit(request: LlmRequest, body: Buffer): ByteEdit {
  const wish = '"include_usage":true';
  const at = request.scan.members.get("stream_options");
  if (at === undefined) {
    const { insertAt } = request.scan;
    return { start: insertAt, end: insertAt, replacement: `"stream_options":{${wish}},` };
  }
  const [start, end] = at;
  const options = scanJson(body.subarray(start, end), { maxDepth: Number.MAX_SAFE_INTEGER });
  if (options.insertAt < 0) return { start, end, replacement: `{${wish}}` };
  const said = options.members.get("include_usage");
  if (said !== undefined) return { start: start + said[0], end: start + said[1], replacement: "true" };
  const insertAt = start + options.insertAt;
  return { start: insertAt, end: insertAt, replacement: options.members.size === 0 ? wish : `${wish},` };
}
