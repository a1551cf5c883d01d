import { crc32 } from "node:zlib";
import { GatewayError } from "../../kernel/errors.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { FramedEvent, StreamFraming } from "./stream-framing.ts";

/** Total length, length of the headers, and the checksum of both; the message's checksum stands at its end. */
const preludeBytes = 12;
const checksumBytes = 4;

/**
 * AWS's binary event stream. An event's name is its `:event-type`, or its `:exception-type`; its data is JSON. A message
 * beyond `maxEventBytes` throws `upstream.too_large`, one whose checksum is wrong `upstream.invalid`.
 * @see https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html
 */
export function awsEventStream(maxEventBytes: number): StreamFraming {
  let held = Buffer.alloc(0);
  return {
    push(chunk) {
      held = held.length === 0 ? Buffer.from(chunk) : Buffer.concat([held, chunk]);
      const events: FramedEvent[] = [];
      while (held.length >= preludeBytes) {
        const length = held.readUInt32BE(0);
        if (length > maxEventBytes) {
          const detail = `${length} bytes`;
          throw new GatewayError("upstream.too_large", "The upstream sent an event that is too large.", { detail });
        }
        if (crc32(held.subarray(0, 8)) !== held.readUInt32BE(8) || length < preludeBytes + checksumBytes)
          throw damaged();
        if (held.length < length) break;
        events.push(readMessage(held.subarray(0, length)));
        held = held.subarray(length);
      }
      return events;
    },
    rest: () => held.length,
  };
}

function readMessage(bytes: Buffer): FramedEvent {
  const end = bytes.length - checksumBytes;
  if (crc32(bytes.subarray(0, end)) !== bytes.readUInt32BE(end)) throw damaged();
  const headersEnd = preludeBytes + bytes.readUInt32BE(4);
  if (headersEnd > end) throw damaged();
  return {
    bytes,
    event() {
      const headers = readHeaders(bytes.subarray(preludeBytes, headersEnd));
      const event = headers.get(":exception-type") ?? headers.get(":event-type") ?? headers.get(":error-code") ?? "";
      return { event, data: parsed(bytes.subarray(headersEnd, end)) };
    },
  };
}

/** Bytes of the values of headers by their type; strings and byte arrays tell their own length. */
const fixedBytes: Readonly<Record<number, number>> = { 0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16 };

function readHeaders(bytes: Buffer): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  try {
    for (let at = 0; at < bytes.length; ) {
      const nameEnd = at + 1 + bytes.readUInt8(at);
      const name = bytes.toString("utf8", at + 1, nameEnd);
      const type = bytes.readUInt8(nameEnd);
      const isSized = type === 6 || type === 7;
      const start = nameEnd + (isSized ? 3 : 1);
      const length = isSized ? bytes.readUInt16BE(nameEnd + 1) : fixedBytes[type];
      if (length === undefined) throw damaged();
      if (type === 7) headers.set(name, bytes.toString("utf8", start, start + length));
      at = start + length;
    }
  } catch (cause) {
    throw damaged(cause);
  }
  return headers;
}

function parsed(bytes: Buffer): unknown {
  try {
    return parseJson(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}

function damaged(cause?: unknown): GatewayError {
  return new GatewayError("upstream.invalid", "The upstream's event stream is damaged.", { cause });
}
