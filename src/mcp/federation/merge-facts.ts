import type { McpFacts, McpObject } from "../backend.ts";
import { isObject } from "../wire/json-rpc.ts";

const longestInstructions = 16_384;

/** What several servers are as one: all that any can, versions that all speak, and what each says of itself in turn. */
export function mergeFacts(
  serverInfo: McpObject,
  members: readonly { readonly name: string; readonly facts: McpFacts }[],
): McpFacts {
  const [first, ...others] = members;
  const versions = (first?.facts.versions ?? []).filter((version) =>
    others.every(({ facts }) => facts.versions.includes(version)),
  );
  return {
    serverInfo,
    capabilities: members.reduce<McpObject>((all, { facts }) => union(all, facts.capabilities), {}),
    instructions: joined(members),
    versions,
  };
}

function joined(members: readonly { readonly name: string; readonly facts: McpFacts }[]): string | undefined {
  const parts = members.flatMap(({ name, facts: { instructions } }) =>
    instructions === undefined || instructions.trim() === "" ? [] : [{ name, text: instructions.trim() }],
  );
  if (parts.length === 0) return undefined;
  const room = Math.floor(longestInstructions / parts.length);
  return parts.map(({ name, text }) => `# ${name}\n\n${text.slice(0, room - name.length - 6)}`).join("\n\n");
}

function union(one: McpObject, other: McpObject): McpObject {
  const both: Record<string, unknown> = { ...one };
  for (const [name, value] of Object.entries(other)) {
    const known = Object.hasOwn(both, name) ? both[name] : undefined;
    const merged = isObject(known) && isObject(value) ? union(known, value) : known === true ? true : value;
    Object.defineProperty(both, name, { value: merged, enumerable: true, configurable: true, writable: true });
  }
  return both;
}
