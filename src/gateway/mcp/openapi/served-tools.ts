import { setImmediate as afterOthers } from "node:timers/promises";
import type { Cancellation } from "../../../kernel/cancellation.ts";
import type { CompiledOperation } from "../../../mcp/openapi/compile-operation.ts";
import type { OpenApiTool, RefusedOperation, RequestPlan, ToolDefinition } from "../../../mcp/openapi/openapi-tool.ts";
import type { ToolAnnotations } from "../../../mcp/openapi/tool-annotations.ts";
import type { ToolCandidate } from "../../../mcp/openapi/tools-from-openapi.ts";
import { refusalReason } from "../../../mcp/openapi/tools-from-openapi.ts";

/** One tool, ready to be shown and called. */
export interface ServedTool {
  readonly definition: ToolDefinition;
  readonly operation: CompiledOperation;
  readonly plan: RequestPlan;
}

/** Tools of a description, each made when it is first asked for and kept. */
export interface ServedTools {
  /** The first one that can be made; undefined where none can. */
  first(): ServedTool | undefined;
  find(name: string): ServedTool | undefined;
  /** Up to `size` from a place on, in their order. Other work of the process goes on while they are made. */
  page(from: number, size: number, cancellation: Pick<Cancellation, "isCancelled">): Promise<ToolPage>;
  /** What is said of a tool, without making it. */
  hintsOf(name: string): ToolAnnotations | undefined;
}

export interface ToolPage {
  readonly tools: readonly ToolDefinition[];
  /** The place of the next one; undefined at the end. */
  readonly next: number | undefined;
}

/** Tools that are made between two looks at other work; the slowest take some milliseconds. */
const madeAtOnce = 5;

/** Of these operations. `refuse` hears once of each that turns out to be no tool; it is shown to nobody. */
export function createServedTools(
  candidates: readonly ToolCandidate[],
  compile: (tool: OpenApiTool) => CompiledOperation,
  refuse: (refused: RefusedOperation) => void,
): ServedTools {
  const made = new Map<ToolCandidate, ServedTool | undefined>();
  const byName = new Map(candidates.map((candidate) => [candidate.name, candidate]));
  const toolOf = (candidate: ToolCandidate): ServedTool | undefined => {
    if (made.has(candidate)) return made.get(candidate);
    const tool = makeTool(candidate, compile, refuse);
    made.set(candidate, tool);
    return tool;
  };
  return {
    first() {
      const able = candidates.find((candidate) => toolOf(candidate) !== undefined);
      return able && toolOf(able);
    },
    find(name) {
      const candidate = byName.get(name);
      return candidate && toolOf(candidate);
    },
    async page(from, size, cancellation) {
      const tools: ToolDefinition[] = [];
      let fresh = 0;
      for (const [index, candidate] of candidates.entries()) {
        if (index < from || cancellation.isCancelled) continue;
        if (!made.has(candidate)) {
          fresh += 1;
          if (fresh % madeAtOnce === 0) await afterOthers();
        }
        const tool = toolOf(candidate);
        if (tool === undefined) continue;
        if (tools.length === size) return { tools, next: index };
        tools.push(tool.definition);
      }
      return { tools, next: undefined };
    },
    hintsOf: (name) => byName.get(name)?.annotations,
  };
}

function makeTool(
  candidate: ToolCandidate,
  compile: (tool: OpenApiTool) => CompiledOperation,
  refuse: (refused: RefusedOperation) => void,
): ServedTool | undefined {
  try {
    const tool = candidate.make();
    return { definition: tool.definition, operation: compile(tool), plan: tool.request };
  } catch (error) {
    refuse({ operation: candidate.operation, reason: refusalReason(error) });
    return undefined;
  }
}
