import { extraPathTarget } from "../core/extra-path.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute } from "./control-route.ts";

/**
 * Redirects for paths that the configuration adds. Public, and they look at nothing of the request but its path; they are
 * no part of the API, so not of its document either.
 */
export function extraPathRoutes(paths: Readonly<Record<string, string>>): readonly ControlRoute[] {
  return Object.entries(paths).map(([path, address]) =>
    defineRoute({
      method: "get",
      path,
      access: "public",
      tag: "Installation",
      operationId: "extraPath",
      summary: "A path that the configuration has added",
      answers: { 302: { description: "Elsewhere." } },
      async handle({ url }) {
        return new Response(null, { status: 302, headers: { location: extraPathTarget(path, address, url.pathname) } });
      },
    }),
  );
}
