import type { Context, Hono, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import type { Rights } from "../core/rights.ts";
import { holdsAnywhere, lacks, noRight } from "../core/rights.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { Caller } from "./caller.ts";
import type { ControlEnv } from "./control-env.ts";
import type { ControlRoute, RouteAccess } from "./control-route.ts";

const methods = ["GET", "POST", "PUT", "DELETE"] as const;

/**
 * Denies by default: lets a request pass only to handlers that are in the table, from callers who hold the permission
 * that their row names, for the installation or for some team; of which is seen when the catalog is read. It asks the router itself what matched, so no other reading of the path can slip by it. A handler that was
 * registered past the table is treated as if it were not there.
 */
export function routeGuard(
  app: Hono<ControlEnv>,
  table: readonly ControlRoute[],
  identify: (context: Context<ControlEnv>) => Promise<Caller>,
): MiddlewareHandler<ControlEnv> {
  const access = new Map(
    table.map((route) => [routeKey(route.method.toUpperCase(), routerPath(route.path)), route.access]),
  );

  const isDeclared = (method: string, path: string): boolean =>
    app.router.match(method, path)[0].some(([[, route]]) => access.has(routeKey(route.method, route.path)));

  return async (context, next) => {
    const handlers = matchedRoutes(context).filter((route) => !isMiddleware(route));
    if (handlers.length === 0) {
      const allowed = methods.filter((method) => isDeclared(method, context.req.path));
      if (allowed.length === 0) throw new GatewayError("route.not_found", "There is nothing at this path.");
      context.set("allow", allowed.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])).join(", "));
      throw new GatewayError("route.method_not_allowed", "This path does not take this method.");
    }
    const rights = handlers.map((route) => access.get(routeKey(route.method, route.path)));
    if (rights.includes(undefined)) {
      throw new GatewayError("route.not_found", "There is nothing at this path.", {
        detail: "handler is not in the table",
      });
    }
    if (rights.some((right) => right !== "public" && right !== "gateway")) {
      const caller = await identify(context);
      context.set("caller", caller);
      context.set("actor", caller.actor);
      requireRights(caller.actor.rights ?? noRight, rights);
    }
    await next();
  };
}

function requireRights(held: Rights, wanted: readonly (RouteAccess | undefined)[]): void {
  for (const access of wanted) {
    if (typeof access === "object" && !holdsAnywhere(held, access.permission)) throw lacks(access.permission);
  }
}

/** A path of the table as the router writes it. */
export function routerPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1");
}

function isMiddleware(route: { readonly method: string; readonly path: string }): boolean {
  return route.method === "ALL" && route.path === "/*";
}

function routeKey(method: string, path: string): string {
  return `${method} ${path}`;
}
