import type { RouteConfig } from "@hono/zod-openapi";
import { OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { nameSchema } from "../core/resource.ts";
import { assertNever } from "../kernel/assert-never.ts";
import type { ControlRoute, RouteAnswer } from "./control-route.ts";
import { problemSchema } from "./problem.ts";
import type { SchemaComponent } from "./schema-component.ts";
import { schemaComponent, schemaReference } from "./schema-component.ts";
import { sessionCookie } from "./session-cookie.ts";

/** The route table as an OpenAPI 3.1 document, its schemas made from those that check the requests. */
export function openApiDocument(routes: readonly ControlRoute[], version: string): object {
  const { openAPIRegistry: registry, getOpenAPI31Document } = new OpenAPIHono();
  registry.registerComponent("securitySchemes", "token", {
    type: "http",
    scheme: "bearer",
    description: "The admin token, or an access token.",
  });
  registry.registerComponent("securitySchemes", "session", {
    type: "apiKey",
    in: "cookie",
    name: sessionCookie,
    description:
      "Set by signing in, with https as `__Host-gatehouse`. What changes something needs `x-csrf-token` too.",
  });
  registry.registerComponent("securitySchemes", "gatewayToken", { type: "http", scheme: "bearer" });
  registry.registerComponent("responses", "Problem", {
    description: "An error, as RFC 9457 problem details.",
    content: { "application/problem+json": { schema: schemaReference(problem) } },
  });
  for (const { name, json } of componentsOf(routes)) registry.registerComponent("schemas", name, json);
  for (const route of routes) registry.registerPath(operation(route));
  return getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Gatehouse control plane",
      version,
      license: { name: "Apache-2.0" },
    },
  });
}

const problem = schemaComponent("Problem", problemSchema, "output");

function componentsOf(routes: readonly ControlRoute[]): readonly SchemaComponent[] {
  const found = new Map<string, SchemaComponent>();
  const add = (component: SchemaComponent): void => {
    if (found.has(component.name)) return;
    found.set(component.name, component);
    component.uses.forEach(add);
  };
  add(problem);
  for (const route of routes) {
    if (route.body !== undefined) add(route.body);
    for (const { schema } of Object.values(route.answers)) if (schema !== undefined) add(schema);
  }
  return [...found.values()].toSorted((left, right) => (left.name < right.name ? -1 : 1));
}

function operation(route: ControlRoute): RouteConfig {
  const { body, query } = route;
  return {
    method: route.method,
    path: route.path,
    operationId: route.operationId,
    tags: [route.tag],
    summary: route.summary,
    ...accessOf(route),
    request: {
      query,
      ...pathParameters(route),
      ...ifMatchHeader(route),
      ...(body === undefined
        ? {}
        : { body: { required: true, content: { "application/json": { schema: schemaReference(body) } } } }),
    },
    responses: {
      ...Object.fromEntries(Object.entries(route.answers).map(([status, answer]) => [status, response(answer)])),
      default: { $ref: "#/components/responses/Problem" },
    },
  };
}

function accessOf({ access }: ControlRoute): Pick<RouteConfig, "security"> & Record<`x-${string}`, unknown> {
  if (access === "public") return { security: [] };
  if (access === "gateway") return { security: [{ gatewayToken: [] }] };
  return { security: [{ token: [] }, { session: [] }], "x-permission": access.permission };
}

function pathParameters({ path }: ControlRoute): Pick<NonNullable<RouteConfig["request"]>, "params"> {
  const names = [...path.matchAll(/\{(\w+)\}/g)].flatMap(([, name]) => name ?? []);
  if (names.length === 0) return {};
  const schemas = names.map((name) => [name, name === "name" ? nameSchema : z.string().min(1).max(2_048)] as const);
  return { params: z.object(Object.fromEntries(schemas)) };
}

function ifMatchHeader({ ifMatch }: ControlRoute): Pick<NonNullable<RouteConfig["request"]>, "headers"> {
  switch (ifMatch) {
    case "unused":
      return {};
    case "required":
      return { headers: z.object({ "If-Match": z.string().meta({ description: requiredText }) }) };
    case "optional":
      return { headers: z.object({ "If-Match": z.string().optional().meta({ description: optionalText }) }) };
    default:
      return assertNever(ifMatch);
  }
}

const requiredText = "The ETag that was last read: without it 428, with an older one 412.";
const optionalText = "The ETag that was last read: with an older one 412. Without it, whatever is there is meant.";

const headerTexts: Readonly<Record<string, string>> = {
  ETag: "The version, to be sent back in If-Match.",
  Location: "Where the new resource is.",
  Link: 'The next page, rel="next"; absent at the end.',
};

function response({ description, schema, mediaType, headers = [] }: RouteAnswer): RouteConfig["responses"][string] {
  const type = mediaType ?? "application/json";
  const isEmpty = schema === undefined && mediaType === undefined;
  return {
    description,
    headers: Object.fromEntries(
      headers.map((name) => [name, { description: headerTexts[name] ?? name, schema: { type: "string" as const } }]),
    ),
    ...(isEmpty ? {} : { content: { [type]: { schema: schema === undefined ? {} : schemaReference(schema) } } }),
  };
}
