import type { McpToolSearchSpec } from "../../../core/mcp-tool-search.ts";
import type { Ranked } from "../../../embedding/choose-best.ts";
import type { CompiledEmbedder } from "../../../embedding/define-embedder.ts";
import type { IndexedList, ToolLists } from "../../../embedding/tool-lists.ts";
import { createToolLists } from "../../../embedding/tool-lists.ts";
import { GatewayError } from "../../../kernel/errors.ts";
import { globMatcher } from "../../../kernel/glob.ts";
import { inTime } from "../../../kernel/in-time.ts";
import type { McpBackend, McpCall, McpContext, McpObject, McpReply } from "../../../mcp/backend.ts";
import { isReservedName } from "../../../mcp/federation/public-names.ts";
import { isObject, jsonRpcCodes } from "../../../mcp/wire/json-rpc.ts";
import type { PluginTools } from "../../../pipeline/plugin.ts";
import { listRights } from "../authorize-mcp.ts";
import { heldBack } from "../check-pins.ts";
import { mcpToolHints } from "../compile-mcp.ts";
import { offeredLists, readList } from "../read-lists.ts";
import type { SearchLearner } from "./learn-searches.ts";
import { metaTools, searchTool } from "./meta-tools.ts";

export type SearchTools = Pick<PluginTools, "clock" | "log" | "embed">;

/**
 * A server whose tools are found by `search_tools`. A search sees what this caller may call and nothing else: what is hidden
 * is neither found nor counted. When the embedder fails, tools are found by their words alone. With a `learner` it learns
 * what searches lead to. Throws `config.invalid` for an embedder that cannot be used.
 */
export function createSearchedServer(
  server: McpBackend,
  spec: McpToolSearchSpec,
  tools: SearchTools,
  learner?: SearchLearner,
): McpBackend {
  const meaning = listsOver(tools.embed(), learner?.memory);
  const finder: Finder = { spec, tools, learner, meaning, words: listsOver(wordsAlone) };
  const isListed = globMatcher(spec.alwaysList);
  return {
    ...server,
    facts: (context) => server.facts(context),
    async request(call, context) {
      if (call.method === "tools/call" && call.params["name"] === searchTool)
        return search(call, server, context, finder);
      if (call.method !== "tools/list") return server.request(call, context);
      if (spec.list === "search") {
        const shown = spec.alwaysList.length === 0 ? [] : await readTools(server, context);
        return { result: { tools: [...metaTools, ...shown.filter((tool) => isListed(nameOf(tool)))] } };
      }
      const reply = await server.request(call, context);
      if ("error" in reply || call.params["cursor"] !== undefined) return reply;
      const { tools: listed } = reply.result;
      const all: readonly unknown[] = Array.isArray(listed) ? listed : [];
      const own = all.filter((tool) => isObject(tool) && !isReservedName(nameOf(tool)));
      return { result: { ...reply.result, tools: [...metaTools, ...own] } };
    },
  };
}

interface Finder {
  readonly spec: McpToolSearchSpec;
  readonly tools: SearchTools;
  readonly learner: SearchLearner | undefined;
  readonly meaning: ToolLists<FoundTool, FoundTool>;
  readonly words: ToolLists<FoundTool, FoundTool>;
}

interface FoundTool {
  readonly name: string;
  readonly facts: McpToolFacts;
}

interface McpToolFacts {
  readonly name: string;
  readonly server: string | undefined;
  readonly title: string | undefined;
  readonly description: string | undefined;
  readonly parameters: unknown;
}

function listsOver(embedder: CompiledEmbedder, memory?: SearchLearner["memory"]): ToolLists<FoundTool, FoundTool> {
  return createToolLists({ embedder, memory, keep: (tool: FoundTool) => tool });
}

/** Knows no meaning, so that the words decide. */
const wordsAlone: CompiledEmbedder = {
  modelId: "words",
  dimensions: undefined,
  thresholds: { route: 1, tool: 0, guard: 1, cache: 1 },
  cheap: true,
  embed: (texts) => texts.map(() => undefined),
};

async function search(call: McpCall, server: McpBackend, context: McpContext, finder: Finder): Promise<McpReply> {
  const given = isObject(call.params["arguments"]) ? call.params["arguments"] : {};
  const { query, limit = finder.spec.limit } = given;
  if (typeof query !== "string" || query.trim() === "") return refused("`query` must say what is to be done");
  if (typeof limit !== "number" || !Number.isInteger(limit) || limit < 1) return refused("`limit` must be 1 or more");
  const all = await readTools(server, context);
  const most = Math.min(limit, finder.spec.limit);
  const task = query.slice(0, mostCharacters);
  const { exchange } = context;
  const application = exchange?.principal?.applicationId;
  const options = { limit: most, ...(application !== undefined && { application }) };
  const facts = all.map((tool) => factsOf(tool, exchange && server.serverOf?.(nameOf(tool), exchange)));
  const found = await rank(task, facts, options, finder);
  const byName = new Map(all.map((tool) => [nameOf(tool), tool]));
  const tools = found.flatMap(({ id, score }) => {
    const tool = byName.get(id);
    return tool === undefined ? [] : [{ ...shownOf(tool), score: Math.round(score * 1_000) / 1_000 }];
  });
  const names = found.map(({ id }) => id);
  if (exchange !== undefined) finder.learner?.found(exchange, task, names);
  const answer = { tools, total: all.length };
  return {
    result: { content: [{ type: "text", text: JSON.stringify(answer) }], structuredContent: answer, isError: false },
  };
}

const mostCharacters = 4_000;

function refused(why: string): McpReply {
  const message = `The arguments of ${searchTool} are refused: ${why}.`;
  return { error: { code: jsonRpcCodes.invalidParams, message } };
}

/** What a caller needs to call it. */
function shownOf({ name, title, description, inputSchema, annotations }: McpObject): McpObject {
  return {
    name,
    ...(title !== undefined && { title }),
    description,
    inputSchema,
    ...(annotations !== undefined && { annotations }),
  };
}

/** All tools of the server that this caller may call. */
async function readTools(server: McpBackend, context: McpContext): Promise<readonly McpObject[]> {
  const { exchange } = context;
  if (exchange === undefined) throw new GatewayError("internal", "Tools are searched for callers only.");
  const { entries, fault } = await readList(server, await server.facts(context), context, toolList);
  if (fault !== undefined) throw new GatewayError("upstream.unavailable", fault);
  mcpToolHints(exchange.api)?.note(exchange.api.id, exchange.principal?.environment ?? "production", {
    tools: entries,
  });
  const held = heldBack(exchange, "tool", entries);
  const mayUse = listRights(exchange);
  return entries.filter((tool) => {
    const name = nameOf(tool);
    return (
      name !== "" && !isReservedName(name) && held?.has(tool) !== true && (mayUse === undefined || mayUse("tool", name))
    );
  });
}

const [toolList] = offeredLists;

async function rank(
  query: string,
  all: readonly FoundTool[],
  options: { readonly limit: number; readonly application?: string },
  finder: Finder,
): Promise<readonly Ranked[]> {
  const listing = Buffer.from(JSON.stringify(all));
  const read = (): readonly FoundTool[] => all;
  const asked = async (lists: Finder["meaning"]): Promise<readonly Ranked[]> => {
    const list: IndexedList<FoundTool> = await lists.find(listing, read);
    return list.index.rank(query, options);
  };
  try {
    return await inTime(asked(finder.meaning), finder.spec.deadlineMs, finder.tools.clock);
  } catch (error) {
    finder.tools.log.warn({ err: error }, "tools could not be compared by their meaning, and were by their words");
    return asked(finder.words);
  }
}

function factsOf(tool: McpObject, server: string | undefined): FoundTool {
  const name = nameOf(tool);
  const { title, description, inputSchema } = tool;
  const said = { title: textOf(title), description: textOf(description), parameters: inputSchema };
  return { name, facts: { name, server, ...said } };
}

function nameOf({ name }: McpObject): string {
  return textOf(name) ?? "";
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
