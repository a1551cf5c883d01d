import type { FailureClass } from "../../core/failover.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { DialectId } from "../../pipeline/define-provider.ts";
import type { ProviderError } from "../../routing/dialects/chat-answer.ts";
import { upstreamDialects } from "../../routing/dialects/index.ts";

/** Of errors whose status says all there is to say nothing is read. */
const telling: ReadonlySet<number> = new Set([400, 404, 413, 422]);

const classes: Partial<Record<ProviderError["kind"], FailureClass>> = {
  "not-found": "model-not-found",
  "too-large": "context-window",
  "context-window": "context-window",
  "content-policy": "content-policy",
  quota: "rate-limit",
  "rate-limit": "rate-limit",
};

/** Servers that speak a dialect without its codes say it in words. */
const tooLong = /maximum context length|context window|context length|prompt is too long|too many input tokens/i;

/**
 * Why a provider has refused, where its error says more than its status: the request was too long, its filter refused, it
 * does not know the model. Undefined where the status is all, and for what is the client's own fault.
 */
export function refusalClass(dialect: DialectId, status: number, bytes: Buffer): FailureClass | undefined {
  if (!telling.has(status)) return undefined;
  const { kind, message } = upstreamDialects[dialect].readError(status, readable(bytes));
  if (kind === "invalid-request" && tooLong.test(message)) return "context-window";
  return classes[kind];
}

function readable(bytes: Buffer): unknown {
  const text = bytes.toString("utf8");
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}
