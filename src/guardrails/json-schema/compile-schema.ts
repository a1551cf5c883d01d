import { createRequire } from "node:module";
import type { Ajv as AjvClass, Options, ValidateFunction } from "ajv";
import type { FormatsPlugin } from "ajv-formats";
import { canonicalJson } from "../../kernel/canonical-json.ts";
import { GatewayError } from "../../kernel/errors.ts";
import { linearRegex } from "../../kernel/safe-regex.ts";

export type Draft = "2020-12" | "draft-07";

/** What is wrong with a value, as the schema's own place: never a piece of the value. Undefined where it fits. */
export type SchemaTest = (value: unknown) => string | undefined;

/**
 * Compiles a JSON Schema. Patterns run on the linear engine; of other documents only the meta-schemas are known, and
 * nothing is fetched. Throws `resource.invalid` that says what is wrong with the schema.
 */
export function compileSchema(schema: Readonly<Record<string, unknown>>, draft: Draft): SchemaTest {
  const ajv = createAjv(draft);
  try {
    const validate = ajv.compile(schema);
    if ("$async" in validate) throw new Error("`$async` is not for here");
    for (const value of [null, {}, []]) test(validate, value); // a schema that refers to itself only never ends
    return (value) => test(validate, value);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new GatewayError("resource.invalid", `The schema cannot be used: ${reason}`, { cause });
  }
}

function test(validate: ValidateFunction, value: unknown): string | undefined {
  if (validate(value)) return undefined;
  return validate.errors?.[0]?.schemaPath ?? "#";
}

function createAjv(draft: Draft): AjvClass {
  const require = createRequire(import.meta.url); // loaded by the first schema: most gateways have none
  const name = draft === "2020-12" ? "ajv/dist/2020.js" : "ajv";
  const { default: Ajv } = require(name) as { readonly default: new (options: Options) => AjvClass }; // the package's own types
  const addFormats = require("ajv-formats") as FormatsPlugin; // likewise
  const regExp = Object.assign(
    (pattern: string) => ({ test: linearRegex(pattern).test, toString: () => pattern }), // ajv keeps them by that text
    { code: "linearRegex" },
  );
  const ajv = new Ajv({ strict: false, logger: false, code: { regExp } });
  addFormats(ajv, { mode: "fast" }); // the full ones take time that grows with the square of the text
  ajv.removeKeyword("uniqueItems"); // compares each with each
  ajv.addKeyword({
    keyword: "uniqueItems",
    type: "array",
    schemaType: "boolean",
    validate: (isAsked: boolean, items: readonly unknown[]) =>
      !isAsked || new Set(items.map(canonicalJson)).size === items.length,
  });
  return ajv;
}
