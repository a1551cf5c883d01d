import { compileJsonPath } from "../../kernel/json-path.ts";
import type { OfferedTools } from "../../pipeline/offered-tools.ts";
import type { FilterConfig } from "./filter-config.ts";

/** Characters at most; of a longer text the end counts, where the question stands. */
const mostCharacters = 4_000;

export type QueryReader = (offered: Pick<OfferedTools, "userTurns" | "message">) => string;

/**
 * Reads out of a request what its tools are chosen by; empty where nobody said anything. Throws `resource.invalid` for a
 * path that is not taken.
 */
export function compileQuery(query: FilterConfig["query"]): QueryReader {
  const read = compileReader(query);
  return (offered) => {
    const text = read(offered);
    return text.length <= mostCharacters ? text : text.slice(-mostCharacters);
  };
}

function compileReader(query: FilterConfig["query"]): QueryReader {
  if (query === "last-turn") return ({ userTurns }) => userTurns().at(-1) ?? "";
  if ("lastTurns" in query) return ({ userTurns }) => userTurns().slice(-query.lastTurns).join("\n");
  const path = compileJsonPath(query.jsonPath);
  return ({ message }) =>
    path
      .locate(message)
      .flatMap((place) => textsAt(message, place))
      .join("\n");
}

/** The text at a place; of parts of a turn, each text. */
function textsAt(message: unknown, place: readonly (string | number)[]): readonly string[] {
  let value = message;
  for (const step of place) value = (value as Readonly<Record<string | number, unknown>>)[step]; // the path has found it
  const parts: readonly unknown[] = Array.isArray(value) ? value : [value];
  return parts.flatMap((part) => {
    const text: unknown = part !== null && typeof part === "object" && "text" in part ? part.text : part;
    return typeof text === "string" ? [text] : [];
  });
}
