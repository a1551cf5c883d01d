import { GatewayError } from "../../kernel/errors.ts";

/**
 * What a failure of `node:sqlite` means to the rest of Gatehouse: a violated constraint is `resource.conflict`,
 * everything else `store.unavailable`; the cause stays with the operator. Our own errors pass through.
 */
export function sqliteFailure(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  const detail = error instanceof Error ? error.message : String(error);
  switch (primaryResultCode(error)) {
    case resultCodes.constraint:
      return new GatewayError("resource.conflict", conflictMessage(error), { detail, cause: error });
    case resultCodes.full:
      return new GatewayError("store.unavailable", "The store's disk is full.", { detail, cause: error });
    default:
      return new GatewayError("store.unavailable", "The store cannot be used now.", { detail, cause: error });
  }
}

/** The result codes of https://sqlite.org/rescode.html that we tell apart. */
export const resultCodes = { busy: 5, locked: 6, corrupt: 11, full: 13, constraint: 19, notDatabase: 26 } as const;

/** The low byte of the result code of a `node:sqlite` error, which is what the table has; undefined for other errors. */
export function primaryResultCode(error: unknown): number | undefined {
  const code = resultCode(error);
  return code === undefined ? undefined : code & 0xff;
}

const foreignKeyViolated = 787;

function conflictMessage(error: unknown): string {
  return resultCode(error) === foreignKeyViolated
    ? "Something that this needs is missing, or something that needs it is still there."
    : "Something of this name or id exists already.";
}

function resultCode(error: unknown): number | undefined {
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number" ? error.errcode : undefined;
}
