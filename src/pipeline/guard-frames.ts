import type { Frame } from "./exchange.ts";
import { appliesToAnswer, guardAnswer } from "./guardrail-runner.ts";
import { refusalError } from "./outcome.ts";
import type { StreamGuards } from "./window-runner.ts";

/**
 * A stream whose frames are each a whole message, as the guardrails let them pass: a frame goes on as soon as it is
 * judged. Of the attachments those judge a frame that apply to its operation, or to what the frame is by itself. Throws
 * `guardrail.denied` (`policy.failed` for a broken guardrail) in place of a frame that is refused.
 */
export async function* guardFrames(frames: AsyncIterable<Frame>, guards: StreamGuards): AsyncGenerator<Frame> {
  const { exchange, operation, attachments, hold } = guards;
  const { adapter } = exchange.api;
  let waits = hold !== undefined;
  const always = new Set(attachments.filter((each) => appliesToAnswer(exchange, operation, each)));
  for await (const frame of frames) {
    const own = always.size < attachments.length ? adapter.frameOperation?.(operation, frame) : undefined;
    let current = frame;
    if (waits) hold?.came();
    for (const attachment of attachments) {
      if (!always.has(attachment) && !(own !== undefined && attachment.applies(exchange, own))) continue;
      const judged = await guardAnswer(exchange, operation, attachment, current);
      if ("type" in judged) throw refusalError(judged);
      current = judged;
    }
    if (waits) hold?.went();
    waits = false;
    yield current;
  }
}
