import { invalid } from "../../core/parse-document.ts";
import { pathText, percentEncoded } from "./encode-parameter.ts";
import type { JsonObject } from "./json-object.ts";
import type { ParameterInput } from "./parameter-inputs.ts";
import type { SchemaFault } from "./schema-check.ts";

/** A path with places for parameters. */
export interface CompiledPath {
  /** Pairs of a query that stand in the description's path itself, as some describe operations that differ by them. */
  readonly query: readonly string[];
  /** The path with these arguments, encoded; what cannot stand in a path is added to `faults`. */
  fill(args: JsonObject, faults: SchemaFault[]): string;
}

/**
 * Compiles a path template. A value never becomes more than the one segment that it stands in: it is encoded, and
 * refused where it is empty, holds a control character, or has `.` or `..` between its slashes, also in encoded form,
 * as there are servers that decode before they resolve. Throws `resource.invalid` for a template that climbs itself.
 */
export function compilePath(template: string, parameters: readonly ParameterInput[]): CompiledPath {
  const [withQuery = ""] = template.split("#", 1); // some tell operations of one path apart by a fragment
  const [path = "", query = ""] = withQuery.split("?", 2);
  const inputs = new Map(parameters.filter((one) => one.location === "path").map((one) => [one.name, one]));
  const segments = path.split("/").map((segment) => segment.split(/(\{[^{}]+\})/).filter((piece) => piece !== ""));
  const compiled = segments.map((pieces) =>
    pieces.map((piece) => (piece.startsWith("{") ? inputs.get(piece.slice(1, -1)) : undefined) ?? literal(piece)),
  );
  if (compiled.some((pieces) => isDots(pieces.map((piece) => (typeof piece === "string" ? piece : "x")).join("")))) {
    throw invalid([{ path: "", message: `the path ${template.slice(0, 200)} has a segment of dots` }]);
  }
  return {
    query: query === "" ? [] : query.split("&").map((pair) => pair.split("=").map(literal).join("=")),
    fill: (args, faults) => compiled.map((pieces) => fillSegment(pieces, args, faults)).join("/"),
  };
}

function fillSegment(pieces: readonly (string | ParameterInput)[], args: JsonObject, faults: SchemaFault[]): string {
  let segment = "";
  let last = "";
  for (const piece of pieces) {
    if (typeof piece === "string") {
      segment += piece;
      continue;
    }
    const { from, name, style } = piece;
    last = "fixed" in from ? name : from.argument;
    const value = "fixed" in from ? from.fixed : args[from.argument];
    const fault = whyNotInPath(value);
    const text = fault === undefined ? pathText(name, value, style) : "x";
    if (fault !== undefined) faults.push({ path: last, message: fault });
    else if (text === "") faults.push({ path: last, message: "must not be empty: it is part of the path" });
    segment += text;
  }
  if (isDots(segment)) faults.push({ path: last, message: "must not make a segment of dots in the path" });
  return segment;
}

/** What is wrong with a value, or with any text inside it. */
function whyNotInPath(value: unknown): string | undefined {
  if (typeof value !== "string") {
    if (value === null || typeof value !== "object") return undefined;
    const parts: readonly unknown[] = Object.entries(value).flat();
    return parts.map(whyNotInPath).find((fault) => fault !== undefined);
  }
  if (!value.isWellFormed()) return "holds half of a surrogate pair";
  if (/\p{Cc}/u.test(value)) return "holds a control character, which no path may";
  const climbs = [value, decodedOnce(value)].some((text) => text.split(/[/\\]/).some(isClimb));
  return climbs ? "holds . or .. as a part of a path" : undefined;
}

// Two forms of the same dots; `a.b` and `1.` are names like any other.
function isClimb(part: string): boolean {
  return isDots(part.replace(/;.*$/s, ""));
}

function isDots(segment: string): boolean {
  return /^(\.|%2e){1,2}$/i.test(segment);
}

function decodedOnce(text: string): string {
  return text.replace(/%(2e|2f|5c)/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

/** Fixed text of a template: what is legal in a path stays, an escape too. */
function literal(text: string): string {
  return text.replace(/%[0-9A-Fa-f]{2}|[A-Za-z0-9._~!$&'()*+,;=:@-]|[^]/gu, (character) =>
    /^(%..|[A-Za-z0-9._~!$&'()*+,;=:@-])$/.test(character) ? character : percentEncoded(character),
  );
}
