import { parseJson } from "../../kernel/parse-json.ts";
import type { Frame } from "../../pipeline/exchange.ts";
import type { InboundDialectId } from "../../routing/dialects/index.ts";
import type { OpenAiError } from "./openai-error.ts";

/**
 * An upstream's error body in the envelope of the client's dialect, which is the upstream's too: as it is when it has that shape, else wrapped with whatever text its
 * own shape holds, so that an SDK finds a message also behind a proxy's HTML page.
 */
export function readableError(bytes: Buffer, status: number, dialect: InboundDialectId = "openai-chat"): Frame {
  const message = parse(bytes);
  if (isObject(message) && isObject(message["error"])) return { bytes, message: () => message };
  const text = ownText(message) ?? `The upstream answered with status ${status} and no readable error.`;
  const type = status < 500 ? "invalid_request_error" : "api_error";
  const error: OpenAiError = { error: { message: text, type, param: null, code: null } };
  const wrapped = dialect === "anthropic-messages" ? { type: "error", error: { type, message: text } } : error;
  return { bytes: Buffer.from(JSON.stringify(wrapped)), message: () => wrapped };
}

function ownText(message: unknown): string | undefined {
  if (!isObject(message)) return undefined;
  for (const name of ["message", "detail", "error", "error_description"]) {
    const told = message[name];
    const text = typeof told === "string" ? told : faultsIn(told);
    if (text !== undefined && text !== "") return text.slice(0, 2_000);
  }
  return undefined;
}

/** The faults that servers list which check requests as FastAPI does, such as Mistral's and vLLM's: where, and what. */
function faultsIn(told: unknown): string | undefined {
  const faults = isObject(told) ? told["detail"] : told;
  if (!Array.isArray(faults)) return undefined;
  const texts = faults.flatMap((fault) => {
    if (!isObject(fault) || typeof fault["msg"] !== "string") return [];
    const place = Array.isArray(fault["loc"]) ? `${fault["loc"].join(".")}: ` : "";
    return [place + fault["msg"]];
  });
  return texts.join("; ");
}

function parse(bytes: Buffer): unknown {
  try {
    return parseJson(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
