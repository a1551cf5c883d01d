import { GatewayError } from "../../kernel/errors.ts";

/** Waits for a write; a `resource.conflict` of the database gets a message that tells the caller what is taken. */
export async function explainConflict<Result>(message: string, write: Promise<Result>): Promise<Result> {
  try {
    return await write;
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== "resource.conflict") throw error;
    throw new GatewayError(error.code, message, {
      cause: error.cause,
      ...(error.detail === undefined ? {} : { detail: error.detail }),
    });
  }
}
