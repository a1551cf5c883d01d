import type { Answer } from "../../pipeline/exchange.ts";
import { tapFrames } from "../../pipeline/tap-frames.ts";

/** What is heard of an answer on its way. */
export interface HeardAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly isStream: boolean;
  /** All its bytes; undefined while it is under way, and of one that was too long. */
  readonly bytes: Uint8Array | undefined;
}

/** Listens to an answer, which goes on as it is. No more than `mostBytes` are held. */
export function hearAnswer(
  answer: Answer,
  mostBytes: number,
): { readonly answer: Answer; readonly heard: HeardAnswer } {
  const { status, headers, body } = answer;
  if (body.type === "whole") {
    const { bytes } = body.frame;
    const fits = bytes.byteLength <= mostBytes;
    return { answer, heard: { status, headers, isStream: false, bytes: fits ? bytes : undefined } };
  }
  let pieces: Uint8Array[] = [];
  let length = 0;
  let whole: Uint8Array | undefined;
  const frames = tapFrames(body.frames, {
    bytes(bytes) {
      length += bytes.byteLength;
      if (length <= mostBytes) pieces.push(bytes);
      else pieces = [];
    },
    end() {
      if (length <= mostBytes) whole = Buffer.concat(pieces);
      pieces = [];
    },
  });
  const heard: HeardAnswer = {
    status,
    headers,
    isStream: true,
    get bytes() {
      return whole;
    },
  };
  return { answer: { ...answer, body: { ...body, frames } }, heard };
}
