import { GatewayError } from "../../kernel/errors.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import { parseStrictJson } from "../../kernel/strict-json.ts";
import type { Frame } from "../../pipeline/exchange.ts";
import { answerDepth, asWritten } from "../strict-message.ts";
import type { UpstreamResponse } from "../upstream.ts";
import { jsonFrame } from "./parsed-frame.ts";

/** The JSON object or list that an answer is; throws `upstream.invalid` for what is none. */
export function parseAnswer(bytes: Buffer): unknown {
  try {
    const message: unknown = parseJson(bytes.toString("utf8"));
    if (isMessage(message)) return message;
  } catch {
    // told below, with everything else that is no JSON object
  }
  throw new GatewayError("upstream.invalid", "The upstream's answer is not valid JSON.", {
    detail: `${bytes.length} bytes`,
  });
}

/**
 * The answer that those bytes are. Where somebody will judge it, they are read strictly at once, rather than once more
 * then; what cannot be is refused then. Throws as `parseAnswer` does.
 */
export function readWhole(bytes: Buffer, isJudged: boolean): Frame {
  const strict = isJudged ? parseStrictJson(bytes, answerDepth) : undefined;
  return strict !== undefined && "value" in strict && isMessage(strict.value)
    ? asWritten(jsonFrame(bytes, strict.value), strict.value)
    : jsonFrame(bytes, parseAnswer(bytes));
}

function isMessage(value: unknown): boolean {
  return value !== null && typeof value === "object";
}

/** Throws `upstream.invalid` for an encoded answer. We asked for plain bytes; what comes otherwise could be neither read nor passed on truly. */
export function refuseEncoded({ headers, body }: UpstreamResponse): void {
  const encoding = headers["content-encoding"];
  if (encoding === undefined || encoding === "identity" || encoding === "") return;
  body.discard();
  throw new GatewayError("upstream.invalid", "The upstream's answer is encoded, which was not asked for.", {
    detail: `content-encoding ${String(encoding).slice(0, 40)}`,
  });
}
