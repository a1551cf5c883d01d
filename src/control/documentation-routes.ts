import type { ControlRoute } from "./control-route.ts";
import { defineRoute, jsonAnswer } from "./control-route.ts";
import { openApiDocument } from "./openapi-document.ts";

/**
 * The OpenAPI document. Public: it tells what the software can do, which its documentation tells anyway, and nothing
 * of this installation but its version.
 * @param routes gives the whole table, this route included
 */
export function documentationRoutes(routes: () => readonly ControlRoute[]): readonly ControlRoute[] {
  let document: unknown;
  return [
    defineRoute({
      method: "get",
      path: "/api/v1/openapi.json",
      access: "public",
      tag: "Installation",
      operationId: "getOpenApi",
      summary: "This API as an OpenAPI 3.1 document",
      answers: { 200: { description: "The document.", mediaType: "application/json" } },
      async handle({ options }) {
        document ??= openApiDocument(routes(), options.version);
        return jsonAnswer(200, document);
      },
    }),
  ];
}
