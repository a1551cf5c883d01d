import { describe, expect, test } from "vitest";
import { z } from "zod";
import { openApiDocument } from "../../src/control/openapi-document.ts";
import { routes } from "../../src/control/routes.ts";
import { resourceKinds } from "../../src/core/kinds.ts";
import { openControlPlane } from "./control-plane.ts";

const documentSchema = z.looseObject({
  openapi: z.literal("3.1.0"),
  info: z.looseObject({ title: z.string().min(1), version: z.literal("1.2.3") }),
  paths: z.record(
    z.string().startsWith("/"),
    z.partialRecord(
      z.enum(["get", "post", "put", "delete"]),
      z.looseObject({
        operationId: z.string().min(1),
        summary: z.string().min(1),
        tags: z.array(z.string()).length(1),
        security: z.array(z.record(z.string(), z.array(z.string()))),
        parameters: z
          .array(
            z.looseObject({
              name: z.string(),
              in: z.enum(["path", "query", "header"]),
              required: z.boolean(),
              schema: z.looseObject({}),
            }),
          )
          .default([]),
        requestBody: z
          .looseObject({
            required: z.literal(true),
            content: z.record(z.literal("application/json"), z.looseObject({})),
          })
          .optional(),
        responses: z.record(
          z.string().regex(/^([1-5]\d\d|default)$/),
          z.union([z.looseObject({ description: z.string().min(1) }), z.strictObject({ $ref: z.string() })]),
        ),
      }),
    ),
  ),
  components: z.looseObject({
    schemas: z.record(z.string().regex(/^[A-Za-z0-9._-]+$/), z.looseObject({})),
    securitySchemes: z.strictObject({
      token: z.looseObject({ type: z.literal("http"), scheme: z.literal("bearer") }),
      session: z.looseObject({ type: z.literal("apiKey"), in: z.literal("cookie") }),
      gatewayToken: z.strictObject({ type: z.literal("http"), scheme: z.literal("bearer") }),
    }),
  }),
});

const table = routes();
const raw: unknown = JSON.parse(JSON.stringify(openApiDocument(table, "1.2.3")));
const document = documentSchema.parse(raw);
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
);

describe("the document", () => {
  test("is served to anybody, and is the one that is checked here", async () => {
    await using plane = await openControlPlane();
    const answer = await plane.send("GET", "/api/v1/openapi.json", undefined, { authorization: null });
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(answer.body).toEqual(raw);
  });

  test("holds every route of the table, and none beside", () => {
    const documented = operations.map(({ method, path }) => `${method} ${path}`).toSorted();
    expect(documented).toEqual(table.map(({ method, path }) => `${method} ${path}`).toSorted());
    expect(documented.length).toBeGreaterThan(60);
  });

  test("asks for the token exactly where the table does", () => {
    for (const { method, path, operation } of operations) {
      const route = table.find((row) => row.method === method && row.path === path);
      const access = route?.access ?? "public";
      const own = access === "gateway" ? [{ gatewayToken: [] }] : [{ token: [] }, { session: [] }];
      expect(operation.security).toEqual(access === "public" ? [] : own);
      expect(operation["x-permission"]).toBe(typeof access === "string" ? undefined : access.permission);
    }
  });

  test("gives each operation a name of its own", () => {
    const names = operations.map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
  });

  test("declares each path parameter, If-Match where it is required, and problem answers everywhere", () => {
    for (const { method, path, operation } of operations) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const declared = operation.parameters.filter((parameter) => parameter.in === "path").map(({ name }) => name);
      expect(declared).toEqual(named);
      const ifMatch = operation.parameters.some(({ name, required }) => name === "If-Match" && required);
      expect(ifMatch).toBe(
        table.some((row) => row.method === method && row.path === path && row.ifMatch === "required"),
      );
      const isHeeded = operation.parameters.some(({ name, required }) => name === "If-Match" && required !== true);
      expect(isHeeded).toBe(
        table.some((row) => row.method === method && row.path === path && row.ifMatch === "optional"),
      );
      expect(operation.responses["default"]).toEqual({ $ref: "#/components/responses/Problem" });
      expect(Object.keys(operation.responses).some((status) => /^[23]/.test(status))).toBe(true);
    }
  });

  test("refers to nothing that it does not hold", () => {
    const references = [...JSON.stringify(raw).matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference ?? "");
    expect(references.length).toBeGreaterThan(100);
    for (const reference of new Set(references)) {
      const [root, ...steps] = reference.split("/");
      expect(root).toBe("#");
      expect(steps.reduce(memberOf, raw)).toBeDefined();
    }
  });
});

describe.each(resourceKinds.map((kind) => ({ kind, name: kind.kind })))("the component of $name", ({ kind }) => {
  test("takes the kind's examples, and not an unknown field", () => {
    const component = document.components.schemas[`${kind.kind}Spec`];
    expect(component).toBeDefined();
    const schema = z.fromJSONSchema(component as Parameters<typeof z.fromJSONSchema>[0]); // parsed above as an object
    for (const example of kind.examples) {
      expect(schema.safeParse(example).success).toBe(true);
      expect(schema.safeParse({ ...(example as object), colour: "red" }).success).toBe(false);
    }
  });
});

function memberOf(node: unknown, name: string): unknown {
  return typeof node === "object" && node !== null ? Reflect.get(node, name) : undefined;
}
