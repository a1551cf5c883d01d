import type { DialectId } from "../../../pipeline/define-provider.ts";
import type { Signature } from "../chat-request.ts";

const foreign = /^(openai-chat|openai-responses|gemini|bedrock-converse)~/;

/**
 * A signature as a client of Anthropic's dialect carries it: Anthropic's own as it is, another provider's under its
 * dialect's name, so that it comes back to whom it means something.
 */
export function carrySignature({ of, value }: Signature): string {
  return of === "anthropic-messages" ? value : `${of}~${value}`;
}

/** The signature again; undefined for an empty one, which nobody made. */
export function readSignature(carried: string): Signature | undefined {
  if (carried === "") return undefined;
  const found = foreign.exec(carried)?.[1];
  if (found === undefined) return { of: "anthropic-messages", value: carried };
  return { of: found as DialectId, value: carried.slice(found.length + 1) }; // the pattern holds dialects only
}

const callMark = "call~";

/** What a provider has signed of a call, for which Anthropic's blocks have no place: a redacted thought in front of it. */
export function carryCallSignature(callId: string, { of, value }: Signature): string {
  return carrySignature({ of, value: `${callMark}${Buffer.from(callId).toString("base64url")}~${value}` });
}

/** The call that a redacted thought is about, and its signature; undefined for a real thought. */
export function readCallSignature(carried: Signature): { callId: string; signature: Signature } | undefined {
  if (carried.of === "anthropic-messages" || !carried.value.startsWith(callMark)) return undefined;
  const rest = carried.value.slice(callMark.length);
  const end = rest.indexOf("~");
  if (end < 0) return undefined;
  const callId = Buffer.from(rest.slice(0, end), "base64url").toString("utf8");
  return { callId, signature: { of: carried.of, value: rest.slice(end + 1) } };
}
