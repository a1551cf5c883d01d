import { z } from "zod";
import { GatewayError } from "../../kernel/errors.ts";
import { linearRegex } from "../../kernel/safe-regex.ts";
import { compileSingularPath } from "../../kernel/singular-path.ts";
import type { Exchange, Operation } from "../../pipeline/exchange.ts";
import { requestJson } from "../../pipeline/request-json.ts";

const text = z.string().max(2_000);

/** One look at one place of a request. */
export const contentTest = z.strictObject({
  in: z.enum(["header", "query", "claim", "body"]).meta({ title: "In", description: "Where to look." }),
  name: z.string().min(1).max(512).meta({
    title: "Name",
    description: "Of the header, the query's parameter or the claim; of the body a path such as `$.metadata.tier`.",
  }),
  is: z
    .enum(["equal", "one-of", "prefix", "suffix", "containing", "matching", "there", "absent"])
    .default("equal")
    .meta({ title: "Is", description: "`matching` takes a pattern (RE2), found anywhere in the value." }),
  value: text.optional().meta({ title: "Value", description: "What it is compared with, as text." }),
  values: z.array(text).min(1).max(1_000).optional().meta({ title: "Values", description: "For `one-of`." }),
  ignoreCase: z.boolean().default(false).meta({ title: "Ignore case", description: "Upper and lower case are one." }),
});

export type ContentTest = z.output<typeof contentTest>;
export type CompiledTest = (exchange: Exchange, operation: Operation) => boolean;

/**
 * Compiles a test. A header or parameter that is there several times, and a list, fits when one of its values does; an
 * object or null is there and equals nothing. Throws `resource.invalid` for a test that lacks its value, and for a path or
 * pattern that is none.
 */
export function compileTest(test: ContentTest): CompiledTest {
  const read = reader(test);
  if (test.is === "there" || test.is === "absent") {
    const wanted = test.is === "there";
    return (exchange, operation) => (read(exchange, operation) !== undefined) === wanted;
  }
  const fits = comparison(test);
  return (exchange, operation) => {
    const found = read(exchange, operation);
    if (found === undefined) return false;
    return Array.isArray(found)
      ? found.some((each) => isText(each) && fits(String(each)))
      : isText(found) && fits(String(found));
  };
}

function isText(value: unknown): value is string | number | boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

type Read = (exchange: Exchange, operation: Operation) => unknown;

function reader({ in: place, name }: ContentTest): Read {
  switch (place) {
    case "header": {
      const lower = name.toLowerCase();
      return ({ inbound }) => inbound.headers[lower];
    }
    case "query":
      return ({ inbound }) => {
        if (inbound.query === "") return undefined;
        const values = new URLSearchParams(inbound.query).getAll(name);
        return values.length === 0 ? undefined : values;
      };
    case "claim":
      return ({ principal }) => {
        const claims = principal?.claims;
        return claims !== undefined && Object.hasOwn(claims, name) ? claims[name] : undefined;
      };
    case "body": {
      const path = compileSingularPath(name);
      return (exchange, operation) => path(requestJson(exchange, operation));
    }
  }
}

function comparison({ is, value, values, ignoreCase }: ContentTest): (found: string) => boolean {
  const folded = ignoreCase ? (each: string) => each.toLowerCase() : (each: string) => each;
  if (is === "one-of") {
    if (values === undefined) throw new GatewayError("resource.invalid", "A test for one-of takes `values`.");
    const known = new Set(values.map(folded));
    return (found) => known.has(folded(found));
  }
  if (value === undefined)
    throw new GatewayError("resource.invalid", "A test takes the `value` that it compares with.");
  const wanted = folded(value);
  switch (is) {
    case "prefix":
      return (found) => folded(found).startsWith(wanted);
    case "suffix":
      return (found) => folded(found).endsWith(wanted);
    case "containing":
      return (found) => folded(found).includes(wanted);
    case "matching": {
      const pattern = linearRegex(value, { ignoreCase });
      return (found) => pattern.test(found.slice(0, longestMatched));
    }
    default:
      return (found) => folded(found) === wanted;
  }
}

/** Characters that a pattern is looked for in: its time is linear, but in the whole text. */
const longestMatched = 65_536;
