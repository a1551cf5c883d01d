import { invalid } from "../../core/parse-document.ts";
import { GatewayError } from "../../kernel/errors.ts";
import { argumentNames } from "./argument-names.ts";
import { bodyInputs } from "./body-inputs.ts";
import { compilePath } from "./encode-path.ts";
import type { JsonObject } from "./json-object.ts";
import { ownMember, textMember } from "./json-object.ts";
import type { OpenApiOperation } from "./list-operations.ts";
import { listOperations } from "./list-operations.ts";
import type { OpenApiDocument } from "./openapi-document.ts";
import type { OpenApiTool, RefusedOperation, ToolDefinition } from "./openapi-tool.ts";
import { operationAnswers } from "./output-schema.ts";
import type { ToolArgument } from "./parameter-inputs.ts";
import { parameterInputs } from "./parameter-inputs.ts";
import type { ReferenceSizes } from "./reference-sizes.ts";
import { referenceSizes } from "./reference-sizes.ts";
import { plainText } from "./schema-values.ts";
import { schemaWriter } from "./schema-writer.ts";
import type { OperationSelection } from "./select-operations.ts";
import { operationSelector } from "./select-operations.ts";
import { serverAddress } from "./server-address.ts";
import type { ToolAnnotations } from "./tool-annotations.ts";
import { annotationsOf } from "./tool-annotations.ts";
import { isToolName, toolNames } from "./tool-names.ts";
import type { WithheldReason } from "./withheld-parameters.ts";
import { withheldParameters } from "./withheld-parameters.ts";

/** What an administrator says of one tool in place of the description. */
export interface ToolOverride {
  readonly name?: string;
  readonly title?: string;
  readonly description?: string;
  /** Each hint replaces the one of the verb. */
  readonly annotations?: ToolAnnotations;
}

export interface ToolOptions {
  readonly select: OperationSelection;
  /** By operationId, generated name, or `GET /pets`. */
  readonly overrides?: ReadonlyMap<string, ToolOverride>;
  /** Parameters whose value no caller chooses, by name: they are sent with each request and are no arguments. */
  readonly fixed?: ReadonlyMap<string, unknown>;
  /** Values of variables in the description's server. */
  readonly serverVariables?: ReadonlyMap<string, string>;
  /**
   * What is told of answers: `declared`, the description's schema; `any`, that they are objects, for a service that
   * does not keep to its description; `none`, nothing, and there is no structured content.
   */
  readonly output?: "declared" | "any" | "none";
  /** Parts of the schemas of one tool's arguments; an operation with more is refused. 10,000 when absent. */
  readonly nodeLimit?: number;
}

export interface ToolsOfOpenApi {
  /** By path and method. */
  readonly tools: readonly OpenApiTool[];
  readonly refused: readonly RefusedOperation[];
  /** Operations of the description, selected or not. */
  readonly operations: number;
}

const defaultNodeLimit = 10_000;
const descriptionLimit = 2_000;

/**
 * The tools of a description: one for each operation that is selected and can be called, the rest with the reason why
 * not. Throws `resource.invalid` for overrides that give two tools one name, or a name that no tool can have.
 */
export function toolsFromOpenApi(document: OpenApiDocument, options: ToolOptions): ToolsOfOpenApi {
  const { operations, broken } = listOperations(document);
  const names = toolNames(operations);
  const isSelected = operationSelector(options.select);
  const maker = { document, options, sizes: referenceSizes(document), withheld: withheldParameters(document) };
  const tools: OpenApiTool[] = [];
  const refused: RefusedOperation[] = broken.map(({ path, cause }) => ({ operation: path, reason: reasonOf(cause) }));
  for (const operation of operations) {
    const name = names.get(operation) ?? "";
    if (!isSelected(operation, name)) continue;
    try {
      tools.push(makeTool(operation, name, maker));
    } catch (error) {
      refused.push({ operation: `${operation.method} ${operation.path}`, reason: reasonOf(error) });
    }
  }
  refuseSameNames(tools);
  return { tools, refused, operations: operations.length };
}

interface ToolMaker {
  readonly document: OpenApiDocument;
  readonly options: ToolOptions;
  readonly sizes: ReferenceSizes;
  readonly withheld: WithheldReason;
}

function makeTool(operation: OpenApiOperation, name: string, maker: ToolMaker): OpenApiTool {
  const { document, options, sizes } = maker;
  const writer = schemaWriter(document, "input", sizes, options.nodeLimit ?? defaultNodeLimit);
  const fixed = options.fixed ?? new Map<string, unknown>();
  const context = { document, names: argumentNames(), writer, withheld: maker.withheld, fixed };
  const parameters = parameterInputs(operation, context);
  compilePath(operation.path, parameters.inputs); // refuses what no request could be made of
  const body = bodyInputs(operation, context);
  const answers = operationAnswers(document, operation, sizes);
  const inputSchema = inputSchemaOf([...parameters.arguments, ...(body?.arguments ?? [])], writer.definitions());
  const override = overrideOf(operation, name, options.overrides);
  return {
    definition: {
      name: override.name ?? name,
      ...titleOf(operation, override),
      description: override.description ?? describe(operation, body?.notes ?? []),
      inputSchema,
      ...outputOf(answers.schema, options.output ?? "declared"),
      annotations: { ...annotationsOf(operation.method), ...override.annotations },
    },
    request: {
      method: operation.method,
      path: operation.path,
      operationId: operation.operationId,
      tags: operation.tags,
      parameters: parameters.inputs,
      body: body?.input,
      accept: answers.mediaTypes,
      server: serverAddress(document, [operation.node, operation.pathItem], options.serverVariables),
    },
  };
}

function inputSchemaOf(all: readonly ToolArgument[], definitions: JsonObject | undefined): JsonObject {
  const required = all.filter((argument) => argument.required).map((argument) => argument.name);
  return {
    type: "object",
    properties: Object.fromEntries(all.map((argument) => [argument.name, argument.schema])),
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: false,
    ...(definitions === undefined ? {} : { $defs: definitions }),
  };
}

function outputOf(
  schema: JsonObject | undefined,
  output: "declared" | "any" | "none",
): Pick<ToolDefinition, "outputSchema"> {
  if (schema === undefined || output === "none") return {};
  return { outputSchema: output === "any" ? { type: "object" } : schema };
}

function overrideOf(
  operation: OpenApiOperation,
  name: string,
  overrides: ReadonlyMap<string, ToolOverride> | undefined,
): ToolOverride {
  const keys = [`${operation.method} ${operation.path}`, operation.operationId, name];
  return keys.map((key) => overrides?.get(key ?? "")).find((override) => override !== undefined) ?? {};
}

function titleOf(operation: OpenApiOperation, override: ToolOverride): Pick<ToolDefinition, "title"> {
  const title = override.title ?? plainText(textMember(operation.node, "summary") ?? "", 100);
  return title === "" ? {} : { title };
}

function describe(operation: OpenApiOperation, notes: readonly string[]): string {
  const { node, pathItem, method, path } = operation;
  const words = [node, pathItem].map((place) => textMember(place, "description") ?? textMember(place, "summary"));
  const text = plainText(words.find((word) => word !== undefined) ?? `${method} ${path}`, descriptionLimit);
  const deprecated = ownMember(node, "deprecated") === true ? ["Deprecated."] : [];
  return [...deprecated, text, ...notes].join(" ");
}

function refuseSameNames(tools: readonly OpenApiTool[]): void {
  const seen = new Map<string, string>();
  for (const { definition, request } of tools) {
    const place = `${request.method} ${request.path}`;
    const other = seen.get(definition.name);
    if (other !== undefined)
      throw invalid([{ path: "", message: `${place} and ${other} are both ${definition.name}` }]);
    if (!isToolName(definition.name)) {
      const message = `${place} cannot be called ${JSON.stringify(definition.name.slice(0, 100))}: letters, digits, _ and -, at most 64`;
      throw invalid([{ path: "", message }]);
    }
    seen.set(definition.name, place);
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof GatewayError)) throw error;
  return error.issues[0]?.message ?? error.message;
}
