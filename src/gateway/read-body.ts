import { isUtf8 } from "node:buffer";
import type { Cancellation } from "../kernel/cancellation.ts";
import { GatewayError, toGatewayError } from "../kernel/errors.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import { parseJson } from "../kernel/parse-json.ts";
import type { ClientRequest } from "../pipeline/adapter.ts";
import type { Deny } from "../pipeline/outcome.ts";
import { deny } from "../pipeline/outcome.ts";

/**
 * The client's whole body. The limit holds on the bytes that arrive, whatever `content-length` says. Refuses encoded
 * bodies (415): a few bytes of gzip can stand for gigabytes. Rejects with the cancellation's reason when the client
 * leaves.
 */
export function readBody(
  request: ClientRequest,
  limitBytes: number,
  cancellation: Cancellation,
): MaybePromise<Buffer | Deny> {
  const encoding = request.headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity") {
    return deny("request.unsupported_media_type", "Send the body without content-encoding.");
  }
  const announced = Number(request.headers["content-length"] ?? 0);
  if (announced > limitBytes) return tooLarge(limitBytes);
  // Who left before has had all events of the request; none would come any more.
  if (cancellation.isCancelled) return Promise.reject(toGatewayError(cancellation.reason));
  if (request.destroyed && !request.complete)
    return Promise.reject(new GatewayError("client.closed", "The client went away."));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const stop = (): void => {
      request.off("data", onData);
      request.off("end", onEnd);
      request.off("error", fail);
      cancellation.ignore(listener);
    };
    const fail = (): void => {
      stop();
      reject(cancellation.reason ?? request.errored ?? new Error("the body broke off"));
    };
    const listener = { onCancel: fail };
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes <= limitBytes) return;
      request.pause();
      stop();
      resolve(tooLarge(limitBytes));
    };
    const onEnd = (): void => {
      cancellation.ignore(listener);
      const [first] = chunks;
      resolve(chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, bytes));
    };
    request.on("data", onData);
    request.on("end", onEnd);
    request.on("error", fail);
    cancellation.listen(listener);
  });
}

/** Undefined when the request says that its body is JSON, else the refusal. Parameters such as charset=utf-8 are fine. */
export function requireJson(contentType: string | undefined): Deny | undefined {
  const mediaType = (contentType ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (mediaType === "application/json" || /^application\/[a-z0-9.-]+\+json$/.test(mediaType)) return undefined;
  return deny("request.unsupported_media_type", "Send the body as `content-type: application/json`.");
}

/** The JSON value of a body, or the refusal; invalid UTF-8 is refused, not replaced. */
export function parseBody(body: Buffer): { readonly value: unknown } | Deny {
  if (!isUtf8(body)) return deny("request.malformed_json", "The body is not valid UTF-8.");
  try {
    return { value: parseJson(body.toString("utf8")) };
  } catch {
    const message = body.length === 0 ? "The body is empty; send a JSON object." : "The body is not valid JSON.";
    return deny("request.malformed_json", message);
  }
}

function tooLarge(limitBytes: number): Deny {
  return deny("request.too_large", `The body is larger than ${limitBytes} bytes.`);
}
