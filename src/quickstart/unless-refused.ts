import type { ErrorCode } from "../kernel/error-codes.ts";
import { GatewayError } from "../kernel/errors.ts";

/**
 * Does one part of the quickstart. When the catalog refuses it because of what the owner has there (an own API on the
 * same context, a name that is taken), that is told in one line, the result is undefined, and the start goes on.
 */
export async function unlessRefused<Result>(
  what: string,
  progress: (line: string) => void,
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof GatewayError) || !refusals.has(error.code)) throw error;
    progress(`no ${what} this time: ${error.message}`);
    return undefined;
  }
}

const refusals: ReadonlySet<ErrorCode> = new Set([
  "publish.refused",
  "resource.changed",
  "resource.conflict",
  "resource.in_use",
  "resource.invalid",
]);
