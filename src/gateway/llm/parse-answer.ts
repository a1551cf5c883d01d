import { GatewayError } from "../../kernel/errors.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { UpstreamResponse } from "../upstream.ts";

/**
 * The JSON object or list that an answer is; throws `upstream.invalid` for what is none.
 * @param text the bytes as text, where it is at hand
 */
export function parseAnswer(bytes: Buffer, text = bytes.toString("utf8")): unknown {
  try {
    const message: unknown = parseJson(text);
    if (message !== null && typeof message === "object") return message;
  } catch {
    // told below, with everything else that is no JSON object
  }
  throw new GatewayError("upstream.invalid", "The upstream's answer is not valid JSON.", {
    detail: `${bytes.length} bytes`,
  });
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
