import type { ProviderError } from "../chat-answer.ts";
import { isWireObject } from "../member-reader.ts";

const maxMessage = 2_000;

const kinds: Readonly<Record<string, ProviderError["kind"]>> = {
  validation: "invalid-request",
  accessdenied: "permission",
  unrecognizedclient: "authentication",
  expiredtoken: "authentication",
  resourcenotfound: "not-found",
  throttling: "rate-limit",
  servicequotaexceeded: "quota",
  modelnotready: "overloaded",
  serviceunavailable: "overloaded",
  modeltimeout: "timeout",
  modelerror: "server",
  modelstreamerror: "server",
  internalserver: "server",
};

const kindsByStatus: Readonly<Record<number, ProviderError["kind"]>> = {
  401: "authentication",
  403: "permission",
  404: "not-found",
  408: "timeout",
  413: "too-large",
  424: "server",
  429: "rate-limit",
  503: "overloaded",
};

/**
 * An error of Bedrock's runtime; its name stands in the header `x-amzn-errortype`, in `__type`, or in the stream.
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html
 */
export function readBedrockError(status: number | undefined, body: unknown, named?: string): ProviderError {
  const about = isWireObject(body) ? body : {};
  const given = named ?? about["__type"];
  const code = typeof given === "string" ? given.split(/[#:]/).at(named === undefined ? -1 : 0) : undefined;
  const text = about["message"] ?? about["Message"];
  const message = typeof text === "string" && text !== "" ? text : "The provider gave no reason.";
  const known = code === undefined ? undefined : kinds[code.replace(/Exception$/i, "").toLowerCase()];
  const byStatus = status === undefined ? undefined : kindsByStatus[status];
  const kind = known ?? byStatus ?? (status !== undefined && status < 500 ? "invalid-request" : "server");
  return {
    kind: kind === "invalid-request" && /too long|context|maximum.*tokens/i.test(message) ? "context-window" : kind,
    status,
    message: message.slice(0, maxMessage),
    ...(code === undefined ? {} : { code }),
  };
}
