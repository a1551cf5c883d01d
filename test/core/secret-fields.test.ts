import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { secretReferenceSchema } from "../../src/core/api-spec.ts";
import type { PluginSchemas } from "../../src/core/secret-fields.ts";
import { mapSecrets } from "../../src/core/secret-fields.ts";

const none: PluginSchemas = () => undefined;
const secret = z.string().meta({ secret: true });

interface Tree {
  readonly secret: string;
  readonly child?: Tree | undefined;
}
const tree: z.ZodType<Tree> = z.lazy(() => z.strictObject({ secret, child: tree.optional() }));

const cases: readonly { name: string; schema: z.ZodType; value: unknown; masked: unknown }[] = [
  {
    name: "a member",
    schema: z.strictObject({ a: secret, b: z.string() }),
    value: { a: "1", b: "2" },
    masked: { a: "*", b: "2" },
  },
  {
    name: "a member behind optional, default, nullable, readonly and catch",
    schema: z.strictObject({ a: secret.optional().default("").nullable().readonly().catch("") }),
    value: { a: "1" },
    masked: { a: "*" },
  },
  {
    name: "a schema that was given another title",
    schema: z.strictObject({ a: secretReferenceSchema.meta({ title: "Other" }).optional().meta({ title: "Again" }) }),
    value: { a: "1" },
    masked: { a: "*" },
  },
  { name: "items of a list", schema: z.array(secret), value: ["1", "2"], masked: ["*", "*"] },
  { name: "values of a record", schema: z.record(z.string(), secret), value: { x: "1" }, masked: { x: "*" } },
  {
    name: "one place of a tuple, and its rest",
    schema: z.tuple([z.string(), secret], secret),
    value: ["1", "2", "3"],
    masked: ["1", "*", "*"],
  },
  {
    name: "any alternative of a union",
    schema: z.union([z.literal(false), z.strictObject({ a: z.string() }), z.strictObject({ a: secret })]),
    value: { a: "1" },
    masked: { a: "*" },
  },
  {
    name: "an alternative of a discriminated union, though the discriminator is wrong",
    schema: z.discriminatedUnion("type", [z.strictObject({ type: z.literal("x"), a: secret })]),
    value: { type: "y", a: "1" },
    masked: { type: "y", a: "*" },
  },
  {
    name: "both sides of an intersection",
    schema: z.intersection(z.looseObject({ a: secret }), z.looseObject({ b: secret })),
    value: { a: "1", b: "2" },
    masked: { a: "*", b: "*" },
  },
  {
    name: "what is transformed afterwards",
    schema: z.strictObject({ a: secret.transform((text) => text.length) }),
    value: { a: "1" },
    masked: { a: "*" },
  },
  {
    name: "members that are not declared",
    schema: z.object({}).catchall(secret),
    value: { a: "1" },
    masked: { a: "*" },
  },
  {
    name: "a schema that refers to itself",
    schema: tree,
    value: { secret: "1", child: { secret: "2" } },
    masked: { secret: "*", child: { secret: "*" } },
  },
  {
    name: "everything below a member that is secret as a whole",
    schema: z.strictObject({ a: z.record(z.string(), z.unknown()).meta({ secret: true }) }),
    value: { a: { x: ["1", { y: "2" }], n: 3 } },
    masked: { a: { x: ["*", { y: "*" }], n: 3 } },
  },
];

test.each(cases)("finds $name", ({ schema, value, masked }) => {
  expect(mapSecrets(schema, value, none, () => "*")).toEqual(masked);
});

const attachment = z.strictObject({
  use: z.string(),
  with: z
    .record(z.string(), z.unknown())
    .default({})
    .meta({ plugin: ["policy", "guardrail"] }),
});

test("finds members of a plug-in's configuration by the schema of the plug-in that is used", () => {
  const plugins: PluginSchemas = (roles, use) =>
    roles.includes("guardrail") && use === "scan" ? z.strictObject({ token: secret, url: z.string() }) : undefined;
  const value = [
    { use: "scan", with: { token: "1", url: "2" } },
    { use: "other", with: { token: "3" } },
  ];
  expect(mapSecrets(z.array(attachment), value, plugins, () => "*")).toEqual([
    { use: "scan", with: { token: "*", url: "2" } },
    { use: "other", with: { token: "3" } },
  ]);
});

test("what does not fit the schema stays as it is, whatever it is", () => {
  const schema = z.strictObject({ a: secret, list: z.array(z.strictObject({ b: secret })), with: tree });
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const texts: string[] = [];
      const mapped = mapSecrets(schema, value, none, (text) => {
        texts.push(text);
        return text;
      });
      expect(mapped).toEqual(value);
    }),
  );
});

test("the path is told with each text, and a value without secrets is handed back as it is", () => {
  const schema = z.strictObject({ list: z.array(z.strictObject({ b: secret })) });
  const paths: unknown[] = [];
  mapSecrets(schema, { list: [{ b: "1" }, { b: "2" }] }, none, (text, path) => {
    paths.push(path);
    return text;
  });
  expect(paths).toEqual([
    ["list", 0, "b"],
    ["list", 1, "b"],
  ]);
  const plain = { list: [{ c: "1" }] };
  expect(mapSecrets(schema, plain, none, () => "*")).toBe(plain);
});
