import { environmentSchema } from "../../../core/environment.ts";
import type { McpServerSpec } from "../../../core/mcp-server.ts";
import type { McpVirtualSpec } from "../../../core/mcp-virtual.ts";
import { globMatcher } from "../../../kernel/glob.ts";
import type { McpBackend } from "../../../mcp/backend.ts";
import type { ListCursors } from "../../../mcp/federation/list-cursors.ts";
import type { Member } from "../../../mcp/federation/member.ts";
import { listKinds, listShapes, mergeEntries } from "../../../mcp/federation/merge-entries.ts";
import { foldName, publicName } from "../../../mcp/federation/public-names.ts";
import { createVirtualServer } from "../../../mcp/federation/virtual-server.ts";
import type { ProtocolCompileInput } from "../../../pipeline/adapter.ts";
import type { ToolHintMemory } from "../tool-hints.ts";
import type { MemberBackendParts } from "./member-backend.ts";
import { createMemberBackend } from "./member-backend.ts";

export interface VirtualTools extends MemberBackendParts {
  readonly cursors: ListCursors;
  /** What servers have said of what they offer. */
  readonly hints: Pick<ToolHintMemory, "names">;
  /** Revisions of virtual servers that are served, by the server's id. */
  readonly served: Map<string, number>;
}

/**
 * The backend of `spec.virtual`. Faults: a server that is virtual itself, so that there are no circles; prefixes that look
 * alike; and of a revision that is not served yet, tools, prompts and resources that are known to claim one name.
 */
export function compileVirtual(
  { artifact, apis, isTrial, fault }: Pick<ProtocolCompileInput, "artifact" | "apis" | "isTrial" | "fault">,
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
  // What is served goes on, whatever has appeared at its servers since: a publication of something else has to pass.
  if (!isTrial) tools.served.set(artifact.id, artifact.revision);
  else if (tools.served.get(artifact.id) !== artifact.revision) refuseCollisions(members, { spec, apis, fault, tools });
  const { onFailure, lastKnown, timeoutMs, keepMs, pageSize } = spec;
  const { listPages: maxPages, listEntries: maxEntries } = (artifact.spec as McpServerSpec).limits; // the snapshot compiler has just parsed it
  return createVirtualServer({
    members,
    settings: { onFailure, lastKnown, timeoutMs, keepMs, pageSize, maxPages, maxEntries },
    serverInfo: { name: artifact.name, version: String(artifact.revision) },
    clock: tools.clock,
    cursors: tools.cursors,
  });
}

interface CollisionParts extends Pick<ProtocolCompileInput, "apis" | "fault"> {
  readonly spec: McpVirtualSpec;
  readonly tools: VirtualTools;
}

const mostFaults = 20;
const wordFor = { tools: "tool", prompts: "prompt", resources: "resource", templates: "resource template" } as const;

/** What of equal priority would have one name, and names of the gateway's own, as far as lists were seen. */
function refuseCollisions(members: readonly Member[], { spec, apis, fault, tools }: CollisionParts): void {
  const ids = new Map(apis.flatMap(({ kind, name, id }) => (kind === "McpServer" ? [[name, id]] : [])));
  const priorities = new Map(spec.servers.map(({ server, priority }) => [server, priority]));
  const messages = environmentSchema.options.flatMap((environment) =>
    listKinds.flatMap((kind) => {
      const { by: key } = listShapes[kind];
      const lists = members.map(({ name: member, takes, rename }) => ({
        member,
        entries: tools.hints.names(kind, ids.get(member) ?? "", environment).map((name) => ({ [key]: name })),
        takes: (name: string) => takes(kind, name),
        rename: (name: string) => rename(kind, name),
      }));
      return mergeEntries(kind, lists).dropped.flatMap(({ member, name, why, by = "" }) => {
        const what = `the ${wordFor[kind]} "${name}" of ${member}`;
        if (why === "reserved") {
          return [`${what} has a name of the gateway's own: leave it out, or rename it (\`offer\`)`];
        }
        if (priorities.get(member) !== priorities.get(by)) return []; // it was said who gives way
        const [same, way] = key === "name" ? ["name", "rename it (`offer`), "] : ["URI", ""];
        return [`${what} and one of ${by} would have the same ${same}: leave it out, ${way}or say a \`priority\``];
      });
    }),
  );
  for (const message of [...new Set(messages)].slice(0, mostFaults)) fault({ path: "spec.virtual.servers", message });
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
