import { locateAll } from "../../kernel/locate-all.ts";
import type { OfferedTool } from "../../pipeline/offered-tools.ts";

/**
 * The tools of a request in any of the dialects: OpenAI's nested ones and its older functions, the flat ones of Responses
 * and of Anthropic. What is no tool that anybody knows stands there without a name and without text.
 *
 * @param listing the bytes of `list`
 */
export function readTools(list: readonly unknown[], listing: Uint8Array): readonly OfferedTool[] {
  const places = locateAll(
    listing,
    list.map((_, index) => [index]),
  );
  return list.map((tool, index) => ({ ...factsOf(tool), index, at: places[index] ?? [0, 0] }));
}

function factsOf(tool: unknown): Omit<OfferedTool, "at" | "index"> {
  const type = text(memberOf(tool, "type"));
  const inner = [memberOf(tool, "function"), memberOf(tool, "custom")].find(isObject) ?? tool;
  const name = text(memberOf(inner, "name"));
  const description = text(memberOf(inner, "description"));
  const parameters = memberOf(inner, "parameters") ?? memberOf(inner, "input_schema");
  // A tool of the provider's own has a name that says nothing of what it is for.
  const isOwn = type !== undefined && type !== "function" && type !== "custom" && description === undefined;
  const facts =
    isOwn || (name ?? description) === undefined ? undefined : { name: name ?? "", description, parameters };
  return { name, type, facts };
}

/** A member of what may be no object. */
export function memberOf(value: unknown, name: string): unknown {
  return isObject(value) ? value[name] : undefined;
}

/** What may be no list as one. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
