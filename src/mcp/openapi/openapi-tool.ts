import type { BodyInput } from "./body-inputs.ts";
import type { JsonObject } from "./json-object.ts";
import type { ParameterInput } from "./parameter-inputs.ts";
import type { ToolAnnotations } from "./tool-annotations.ts";

/** A tool as `tools/list` shows it. The same description and options give the same bytes. */
export interface ToolDefinition {
  readonly name: string;
  readonly title?: string;
  readonly description: string;
  readonly inputSchema: JsonObject;
  readonly outputSchema?: JsonObject;
  readonly annotations: ToolAnnotations;
}

/** A tool and the request that it stands for. Data without functions, for `compileOperation`. */
export interface OpenApiTool {
  readonly definition: ToolDefinition;
  readonly request: RequestPlan;
}

/** How arguments become a request. */
export interface RequestPlan {
  /** In capitals. */
  readonly method: string;
  /** The template of the description, without the server's part. */
  readonly path: string;
  readonly operationId: string | undefined;
  readonly tags: readonly string[];
  readonly parameters: readonly ParameterInput[];
  readonly body: BodyInput | undefined;
  /** Media types of its answers of success. */
  readonly accept: readonly string[];
  /** The description's own server for it, absolute; undefined where it names none that can be used. */
  readonly server: string | undefined;
}

/** An operation that was selected and cannot be a tool. */
export interface RefusedOperation {
  /** `POST /pets`, or the path alone where all of it is broken. */
  readonly operation: string;
  readonly reason: string;
}
