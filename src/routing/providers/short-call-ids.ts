import { hash } from "node:crypto";
import { locateJson, spliceBytes } from "../../kernel/json-scan.ts";
import { parseJson } from "../../kernel/parse-json.ts";

const short = /^[a-zA-Z0-9]{9}$/;

/**
 * A chat's bytes with ids of tool calls as Mistral takes them: nine letters and digits. What has another form, because
 * another provider or a client made it, becomes the same nine signs in a call and in its result, in every request. The
 * same buffer where all of them fit.
 * @see https://docs.mistral.ai/capabilities/function_calling
 */
export function shortCallIds(body: Buffer): Buffer {
  if (!body.includes('"tool_call')) return body; // `tool_calls`, `tool_call_id`: without either there is no id
  const edits = callIds(parseJson(body.toString("utf8"))).flatMap(({ path, id }) => {
    const range = short.test(id) ? undefined : locateJson(body, path);
    if (range === undefined) return [];
    return [{ start: range[0], end: range[1], replacement: JSON.stringify(shortened(id)) }];
  });
  return edits.length === 0 ? body : spliceBytes(body, edits);
}

interface CallId {
  readonly path: readonly (string | number)[];
  readonly id: string;
}

function callIds(body: unknown): readonly CallId[] {
  return listAt(body, "messages").flatMap((message, at) => {
    const path = ["messages", at] as const;
    const calls = listAt(message, "tool_calls").map((call, index) => ({
      path: [...path, "tool_calls", index, "id"],
      id: memberOf(call, "id"),
    }));
    return [...calls, { path: [...path, "tool_call_id"], id: memberOf(message, "tool_call_id") }].flatMap((each) =>
      typeof each.id === "string" ? [{ path: each.path, id: each.id }] : [],
    );
  });
}

function shortened(id: string): string {
  const plain = hash("sha256", id, "base64").replaceAll(/[^a-zA-Z0-9]/g, "");
  return plain.slice(0, 9).padEnd(9, "0");
}

function listAt(value: unknown, name: string): readonly unknown[] {
  const found = memberOf(value, name);
  return Array.isArray(found) ? found : [];
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name]; // an object whose own member it is
}
