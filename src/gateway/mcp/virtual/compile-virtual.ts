import type { McpServerSpec } from "../../../core/mcp-server.ts";
import type { McpVirtualSpec } from "../../../core/mcp-virtual.ts";
import { globMatcher } from "../../../kernel/glob.ts";
import type { McpBackend } from "../../../mcp/backend.ts";
import type { ListCursors } from "../../../mcp/federation/list-cursors.ts";
import type { Member } from "../../../mcp/federation/member.ts";
import { foldName, publicName } from "../../../mcp/federation/public-names.ts";
import { createVirtualServer } from "../../../mcp/federation/virtual-server.ts";
import type { ProtocolCompileInput } from "../../../pipeline/adapter.ts";
import type { MemberBackendParts } from "./member-backend.ts";
import { createMemberBackend } from "./member-backend.ts";

export interface VirtualTools extends MemberBackendParts {
  readonly cursors: ListCursors;
}

/**
 * The backend of `spec.virtual`. Faults: a server that is virtual itself, so that there are no circles, and prefixes that
 * look alike.
 */
export function compileVirtual(
  { artifact, apis, fault }: Pick<ProtocolCompileInput, "artifact" | "apis" | "fault">,
  spec: McpVirtualSpec,
  tools: VirtualTools,
): McpBackend {
  const folded = new Map<string, string>();
  spec.servers.forEach(({ server, prefix }, index) => {
    const member = apis.find(({ kind, name }) => kind === "McpServer" && name === server);
    if ((member?.spec as Partial<McpServerSpec> | undefined)?.virtual !== undefined) {
      // looked at by the kind's schema when it was published
      const message = `McpServer/${server} is virtual itself: name its servers here`;
      fault({ path: `spec.virtual.servers[${index}].server`, message });
    }
    if (spec.naming !== "prefix" || prefix === undefined) return;
    const other = folded.get(foldName(prefix));
    if (other === undefined) folded.set(foldName(prefix), server);
    else fault({ path: `spec.virtual.servers[${index}].prefix`, message: `looks like the prefix of ${other}` });
  });
  const members = spec.servers
    .map((each, index) => ({ each, index }))
    .toSorted((one, other) => other.each.priority - one.each.priority || one.index - other.index)
    .map(({ each }) => compileMember(each, spec.naming, tools));
  const { onFailure, lastKnown, timeoutMs, keepMs, pageSize } = spec;
  return createVirtualServer({
    members,
    settings: { onFailure, lastKnown, timeoutMs, keepMs, pageSize },
    serverInfo: { name: artifact.name, version: String(artifact.revision) },
    clock: tools.clock,
    cursors: tools.cursors,
  });
}

function compileMember(
  { server, prefix = "", tools: toolGlobs, prompts, resources }: McpVirtualSpec["servers"][number],
  naming: McpVirtualSpec["naming"],
  tools: VirtualTools,
): Member {
  const takesTool = globMatcher(toolGlobs);
  const takesPrompt = globMatcher(prompts);
  const takesResource = globMatcher(resources);
  const start = naming === "bare" ? "" : naming === "prefix" ? prefix : `${server}_`;
  return {
    name: server,
    backend: createMemberBackend(server, tools),
    takes(kind, name) {
      if (kind === "tools") return takesTool(name);
      return kind === "prompts" ? takesPrompt(name) : takesResource(name);
    },
    rename: (kind, name) => (kind === "tools" || kind === "prompts" ? publicName(start, name) : name),
  };
}
