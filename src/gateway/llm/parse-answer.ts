import { GatewayError } from "../../kernel/errors.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { UpstreamResponse } from "../upstream.ts";

/** The JSON object or list that an answer is; throws `upstream.invalid` for what is none. */
export function parseAnswer(bytes: Buffer): unknown {
  try {
    const message: unknown = parseJson(bytes.toString("utf8"));
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
