import type { Clock } from "../kernel/clock.ts";
import type { ErrorCode } from "../kernel/error-codes.ts";
import type { Log } from "../kernel/log.ts";

/** A request that was answered before it had an exchange, and so has no row. */
export interface RefusedRequest {
  readonly requestId: string;
  readonly code: ErrorCode;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly clientIp: string;
  readonly detail: string | undefined;
}

export interface RefusalLogOptions {
  readonly clock: Clock;
  readonly log: Log;
}

/** Lines in one second; strangers who knock on every door fill no disk. */
const linesPerSecond = 20;
const longestPath = 64;

/**
 * Writes a line for each refusal, up to 20 in a second; after it a line says how many were left out. Of the path it
 * shows the first segment, which tells the API that was meant: whatever else a stranger puts there may be a secret.
 */
export function createRefusalLog({ clock, log }: RefusalLogOptions): (refusal: RefusedRequest) => void {
  let written = 0;
  let leftOut = 0;
  const endSecond = (): void => {
    if (leftOut > 0) log.info({ leftOut }, "more requests were refused than are logged");
    written = 0;
    leftOut = 0;
  };
  return (refusal) => {
    if (written === 0) clock.after(1_000, endSecond);
    if (written === linesPerSecond) {
      leftOut += 1;
      return;
    }
    written += 1;
    log.info({ ...refusal, path: shown(refusal.path) }, "request refused");
  };
}

function shown(path: string): string {
  const [, first = "", ...others] = path.split("/");
  const known = `/${first.slice(0, longestPath).replaceAll(/gh_[0-9A-Za-z_]+/g, "gh_…")}`;
  return others.length === 0 ? known : `${known}/…`;
}
