import type { McpOfferEntry } from "../../core/mcp-offer.ts";
import type { McpObject } from "../backend.ts";
import type { ListKind } from "../federation/merge-entries.ts";
import { isObject } from "../wire/json-rpc.ts";

/** An entry of a list in other words; the same object where nothing is said of it. */
export function showEntry(
  kind: ListKind,
  entry: McpObject,
  name: string | undefined,
  said: McpOfferEntry | undefined,
): McpObject {
  const edits: Record<string, unknown> = {};
  if (name !== undefined && name !== entry["name"]) edits["name"] = name;
  const { title, description, annotations, arguments: given = {} } = said ?? {};
  if (title !== undefined) edits["title"] = title;
  if (description !== undefined) edits["description"] = description;
  if (annotations !== undefined) {
    edits["annotations"] = { ...(isObject(entry["annotations"]) ? entry["annotations"] : {}), ...annotations };
  }
  const names = Object.keys(given);
  if (kind === "tools" && names.length > 0) edits["inputSchema"] = shownSchema(entry["inputSchema"], given);
  if (kind === "prompts" && Array.isArray(entry["arguments"]) && names.length > 0) {
    edits["arguments"] = entry["arguments"].flatMap((each: unknown) => shownArgument(each, given));
  }
  return Object.keys(edits).length === 0 ? entry : { ...entry, ...edits };
}

type Given = NonNullable<McpOfferEntry["arguments"]>;

/** What a caller may still say: without what is fixed, and with what is taken where nothing is said. */
function shownSchema(schema: unknown, given: Given): unknown {
  if (!isObject(schema)) return schema;
  const { properties, required } = schema;
  return {
    ...schema,
    ...(isObject(properties) && {
      properties: Object.fromEntries(
        Object.entries(properties).flatMap(([name, property]) => {
          const own = Object.hasOwn(given, name) ? given[name] : undefined;
          if (own === undefined) return [[name, property]];
          if (own.fixed) return [];
          return [[name, isObject(property) ? { ...property, default: own.value } : property]];
        }),
      ),
    }),
    ...(Array.isArray(required) && {
      required: required.filter((name: unknown) => typeof name !== "string" || !Object.hasOwn(given, name)),
    }),
  };
}

function shownArgument(argument: unknown, given: Given): readonly unknown[] {
  const name = isObject(argument) ? argument["name"] : undefined;
  const own = typeof name === "string" && Object.hasOwn(given, name) ? given[name] : undefined;
  if (own === undefined || !isObject(argument)) return [argument];
  return own.fixed ? [] : [{ ...argument, required: false }];
}

/** The arguments of a call with those that it leaves out, and those that are fixed. */
export function withGiven(sent: unknown, given: Given | undefined): unknown {
  const entries = Object.entries(given ?? {});
  if (entries.length === 0) return sent;
  const own = isObject(sent) ? sent : {};
  const put = entries.filter(([name, { fixed }]) => fixed || !Object.hasOwn(own, name));
  return { ...own, ...Object.fromEntries(put.map(([name, { value }]) => [name, value])) };
}
