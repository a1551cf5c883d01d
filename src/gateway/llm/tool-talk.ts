import { listOf, memberOf } from "./read-tools.ts";

type Json = Readonly<Record<string, unknown>>;

/** What the user has said, in any of the dialects: a text for each turn that has any, oldest first. */
export function userTurns(json: Json): readonly string[] {
  if (typeof json["input"] === "string") return [json["input"]];
  return turnsOf(json).flatMap((turn) => userText(turn));
}

/** Names of tools, and types of those without one, that the caller forces or names, or that were called before. */
export function neededTools(json: Json): ReadonlySet<string> {
  const needed = new Set<string>();
  for (const member of ["tool_choice", "function_call"]) collectNames(json[member], 0, needed);
  for (const turn of turnsOf(json)) for (const { name } of callsOf(turn)) needed.add(name);
  return needed;
}

/** Whether nothing makes the model call a tool. */
export function isToolOptional(json: Json): boolean {
  return ["tool_choice", "function_call"].every((member) => {
    const choice = memberOf(json[member], "type") ?? json[member] ?? "auto";
    return choice === "auto" || choice === "none";
  });
}

/** Tools that were called since the user spoke last, and whose calls have come back with a result that is no error. */
export function answeredCalls(json: Json): readonly string[] {
  const turns = turnsOf(json);
  const since = turns.slice(turns.findLastIndex((turn) => userText(turn).length > 0) + 1);
  const results = new Set(since.flatMap(resultsOf));
  const calls = since.flatMap(callsOf).filter(({ id }) => id !== undefined && results.has(id));
  return [...new Set(calls.map(({ name }) => name))];
}

function turnsOf(json: Json): readonly unknown[] {
  return Array.isArray(json["messages"]) ? json["messages"] : listOf(json["input"]);
}

function userText(turn: unknown): readonly string[] {
  if (memberOf(turn, "role") !== "user") return [];
  const content = memberOf(turn, "content");
  const texts = typeof content === "string" ? [content] : listOf(content).map((part) => memberOf(part, "text"));
  const said = texts.filter((each) => typeof each === "string" && each.trim() !== "").join("\n");
  return said === "" ? [] : [said];
}

interface ToolCall {
  readonly id: string | undefined;
  readonly name: string;
}

/** Chat's `tool_calls` and older `function_call`, Anthropic's blocks, the items of Responses. */
function callsOf(turn: unknown): readonly ToolCall[] {
  const nested = listOf(memberOf(turn, "tool_calls")).map((call) => ({
    id: memberOf(call, "id"),
    name: memberOf(memberOf(call, "function") ?? memberOf(call, "custom"), "name"),
  }));
  const older = { id: undefined, name: memberOf(memberOf(turn, "function_call"), "name") };
  const flat = [turn, ...listOf(memberOf(turn, "content"))]
    .filter((part) => /(?:_call|tool_use)$/.test(String(memberOf(part, "type"))))
    .map((part) => ({ id: memberOf(part, "call_id") ?? memberOf(part, "id"), name: memberOf(part, "name") }));
  return [...nested, older, ...flat].flatMap(({ id, name }) =>
    typeof name === "string" ? [{ id: typeof id === "string" ? id : undefined, name }] : [],
  );
}

/** Ids of calls whose result stands in a turn. */
function resultsOf(turn: unknown): readonly string[] {
  return [turn, ...listOf(memberOf(turn, "content"))]
    .filter((part) => memberOf(part, "is_error") !== true)
    .map((part) => memberOf(part, "tool_call_id") ?? memberOf(part, "tool_use_id") ?? outputOf(part))
    .filter((id) => typeof id === "string");
}

function outputOf(item: unknown): unknown {
  return String(memberOf(item, "type")).endsWith("_output") ? memberOf(item, "call_id") : undefined;
}

/** A choice may name one tool or several, at another depth in each dialect. */
function collectNames(choice: unknown, depth: number, into: Set<string>): void {
  if (depth > 4 || choice === null || typeof choice !== "object") return;
  for (const [member, value] of Object.entries(choice)) {
    const isName = member === "name" || member === "type" || member === "server_label";
    if (isName && typeof value === "string") into.add(value);
    else collectNames(value, depth + 1, into);
  }
}
