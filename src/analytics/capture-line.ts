import type { CaptureEvent } from "../pipeline/event.ts";
import { putBytes, putEnd, putJson, putNumber, putText } from "./line-values.ts";

const captureBegin = Buffer.from('["capture"');

/** Puts the line of captured texts at `at`, as `EventLineWriter` says. */
export function putCaptureLine(e: CaptureEvent, memory: Buffer, at: number): number {
  let to = putNumber(memory, putBytes(memory, at, captureBegin), e.ts);
  to = putText(memory, to, e.exchange_id);
  to = putText(memory, to, e.operation_id);
  to = putText(memory, to, e.team_id);
  to = putText(memory, to, e.api_id);
  to = putText(memory, to, e.api_name);
  to = putText(memory, to, e.environment);
  to = putText(memory, to, e.application_id);
  to = putNumber(memory, to, e.kept_days);
  to = putText(memory, to, e.request);
  to = putText(memory, to, e.response);
  to = putJson(memory, to, e.is_cut);
  return putEnd(memory, putNumber(memory, to, e.redactions));
}
