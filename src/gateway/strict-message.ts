import { GatewayError } from "../kernel/errors.ts";
import type { JsonFault } from "../kernel/strict-json.ts";
import { parseStrictJson, strictJsonFault } from "../kernel/strict-json.ts";
import type { Frame } from "../pipeline/exchange.ts";
import { SseFrame } from "./sse-frame.ts";

/** How deep answers may nest that are judged: deeper than any that somebody reads, and far from where recursion ends. */
export const answerDepth = 256;

const read = new WeakMap<Frame, unknown>();

/**
 * A frame's message for whoever decides by it: undefined when it carries none. Throws `upstream.invalid` when it could
 * be understood in two ways (a member twice, say), for the client, who gets the bytes, must not read another message
 * than the one that was judged.
 */
export function strictMessage(frame: Frame): unknown {
  if (read.has(frame)) return read.get(frame);
  const message = readFrame(frame);
  read.set(frame, message);
  return message;
}

/** A frame whose bytes were written of the message, or read strictly: there is one way to read it, and it is not read again. */
export function asWritten<Written extends Frame>(frame: Written, message: unknown): Written {
  read.set(frame, message);
  return frame;
}

function readFrame(frame: Frame): unknown {
  if (!(frame instanceof SseFrame)) {
    const message = frame.message();
    if (message !== undefined) refuse(strictJsonFault(frame.bytes, answerDepth));
    return message; // it was read of these bytes
  }
  const { data } = frame;
  if (data === undefined || data === "" || data === "[DONE]") return undefined;
  const parsed = parseStrictJson(Buffer.from(data), answerDepth);
  if ("value" in parsed) return parsed.value;
  return refuse(parsed.fault);
}

function refuse(fault: JsonFault | undefined): undefined {
  if (fault === undefined) return undefined;
  throw new GatewayError("upstream.invalid", "The upstream's answer cannot be read in one way only.", {
    detail: fault.message,
  });
}
