import type { GatewayParts } from "./compose-gateway.ts";
import type { CoreContext } from "./core/core-context.ts";
import { toGatewayError } from "./kernel/errors.ts";
import { compileSnapshot } from "./pipeline/compile-snapshot.ts";

/** What a gateway's compiler finds fault with in a set; nothing of a good one stays. Throws what is no fault of the set's. */
export async function tryToCompile(
  set: Parameters<CoreContext["check"]>[0],
  { compileOptions }: Pick<GatewayParts, "compileOptions">,
): ReturnType<CoreContext["check"]> {
  try {
    await compileSnapshot(set, { ...compileOptions, isTrial: true }).dispose();
    return [];
  } catch (error) {
    const fault = toGatewayError(error);
    if (fault.code !== "publish.refused") throw fault;
    return fault.issues;
  }
}
