import type { Deny } from "../../pipeline/outcome.ts";
import { deny } from "../../pipeline/outcome.ts";

/** The refusal of a request that would lose `param` on its way to `dialect`. */
export function refuseUncarried(param: string, dialect: string): Deny {
  const message = `\`${param}\` cannot be carried over to ${dialect}: leave it out, or ask a model of another provider.`;
  return deny("request.invalid", message, { param });
}
