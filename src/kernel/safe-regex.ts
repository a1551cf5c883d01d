import { RE2JS } from "re2js";
import { GatewayError } from "./errors.ts";

/** A pattern written by a user, on an engine whose time is linear in the text. */
export interface LinearRegex {
  readonly pattern: string;
  test(text: string): boolean;
  /** All matches that do not overlap, as half-open ranges of UTF-16 units. */
  findAll(text: string): readonly (readonly [start: number, end: number])[];
}

export interface LinearRegexOptions {
  readonly ignoreCase?: boolean;
}

/**
 * Compiles RE2 syntax (no look-around, no back-references). Throws `resource.invalid` naming the fault.
 * @see https://github.com/google/re2/wiki/Syntax
 */
export function linearRegex(pattern: string, { ignoreCase = false }: LinearRegexOptions = {}): LinearRegex {
  const compiled = compile(pattern, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
  return {
    pattern,
    test: (text) => compiled.matcher(text).find(),
    findAll(text) {
      const matcher = compiled.matcher(text);
      const ranges: [number, number][] = [];
      while (matcher.find()) {
        if (matcher.end() > matcher.start()) ranges.push([matcher.start(), matcher.end()]);
      }
      return ranges;
    },
  };
}

function compile(pattern: string, flags: number): RE2JS {
  try {
    return RE2JS.compile(pattern, flags);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new GatewayError("resource.invalid", `The pattern is not valid RE2 syntax: ${reason}`, { cause });
  }
}
