import type { OpenApiToolsSpec } from "../../core/openapi-tools.ts";
import type { ToolOptions, ToolOverride } from "./tools-from-openapi.ts";

/** What an administrator wrote, as options of `toolsFromOpenApi`. */
export function toolOptions(spec: OpenApiToolsSpec): ToolOptions {
  return {
    select: { include: spec.select, exclude: spec.exclude },
    overrides: new Map(Object.entries(spec.overrides).map(([key, override]) => [key, defined(override)])),
    fixed: new Map(Object.entries(spec.fixed)),
    serverVariables: new Map(Object.entries(spec.serverVariables)),
    output: spec.output,
  };
}

function defined({ name, title, description, annotations }: OpenApiToolsSpec["overrides"][string]): ToolOverride {
  const hints = Object.entries(annotations ?? {}).filter(([, hint]) => hint !== undefined);
  return {
    ...(name !== undefined && { name }),
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    ...(hints.length > 0 && { annotations: Object.fromEntries(hints) }),
  };
}
