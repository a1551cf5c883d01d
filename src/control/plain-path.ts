import type { MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import { GatewayError } from "../kernel/errors.ts";
import { readTarget } from "../kernel/request-target.ts";
import type { ControlEnv } from "./control-env.ts";

/** Parameters that may hold slashes and percent signs, encoded: a client id can be an address, a ruleset a package. */
const openParameters: ReadonlySet<string> = new Set([":clientId", ":ruleset"]);

/**
 * Lets only targets pass that have one reading, whoever reads them: the target is looked at as it came, before the router
 * and everything behind it. All others are answered as paths that are not there.
 */
export function plainPath(): MiddlewareHandler<ControlEnv> {
  return async (context, next) => {
    const target = context.env?.incoming?.url ?? targetOf(context.req.url);
    const reading = readTarget(target);
    if (
      reading === "refused" ||
      (reading === "escaped" && !isOpen(target, matchedRoutes(context).at(-1)?.path ?? ""))
    ) {
      throw new GatewayError("route.not_found", "There is nothing at this path.");
    }
    await next();
  };
}

function isOpen(target: string, pattern: string): boolean {
  const given = (target.split("?")[0] ?? "").split("/");
  const wanted = pattern.split("/");
  return (
    given.length === wanted.length &&
    given.every((part, at) => !/[%;]/.test(part) || openParameters.has(wanted[at] ?? ""))
  );
}

// Without a socket there is only the address that the caller has made of it.
function targetOf(url: string): string {
  return url.replace(/^[a-z]+:\/\/[^/]*/i, "");
}
