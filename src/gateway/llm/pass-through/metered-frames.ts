import type { Frame, Operation } from "../../../pipeline/exchange.ts";
import type { UpstreamBody } from "../../upstream-body.ts";
import type { StreamFraming } from "../stream-framing.ts";
import { sseFraming } from "../stream-framing.ts";
import { passThroughUsage } from "./pass-through-usage.ts";

/**
 * The bytes of a stream of events, as they come; what an event tells of usage is noted, the last one counting. The ends of
 * streamed pictures, transcriptions and speech tell it. An event beyond `maxEventBytes` passes too, but from there on nothing
 * is noted, and the operation stays unmetered, as it does where the stream breaks off before it has told.
 * @see https://platform.openai.com/docs/api-reference/images-streaming
 * @see https://platform.openai.com/docs/api-reference/audio/transcript-text-done-event
 */
export async function* meteredFrames(
  body: UpstreamBody,
  operation: Operation,
  maxEventBytes: number,
): AsyncGenerator<Frame> {
  operation.isUnmetered = true;
  let framing: StreamFraming | undefined = sseFraming(maxEventBytes);
  for await (const bytes of body.chunks()) {
    framing = heard(framing, bytes, operation);
    yield { bytes, message: () => undefined };
  }
}

/** Undefined where nothing can be heard any more. */
function heard(framing: StreamFraming | undefined, chunk: Buffer, operation: Operation): StreamFraming | undefined {
  try {
    for (const { bytes, event } of framing?.push(chunk) ?? []) {
      if (!Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes('"usage"')) continue; // a picture of megabytes
      const usage = passThroughUsage(event().data);
      if (usage === undefined) continue;
      operation.usage = usage;
      operation.isUnmetered = false;
    }
    return framing;
  } catch {
    return undefined; // it is not ours to judge
  }
}
