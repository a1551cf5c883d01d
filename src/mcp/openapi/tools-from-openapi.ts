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

/** An operation that is selected: its tool is made when it is asked for, as that takes most of the time. */
export interface ToolCandidate {
  /** The name of its tool. */
  readonly name: string;
  readonly annotations: ToolAnnotations;
  /** `POST /pets`. */
  readonly operation: string;
  /** Throws `resource.invalid` where it cannot be a tool. */
  make(): OpenApiTool;
}

/** What may become tools of a description, before any is made. */
export interface ToolCandidates {
  /** By path and method. */
  readonly candidates: readonly ToolCandidate[];
  /** Paths that cannot be read. */
  readonly broken: readonly RefusedOperation[];
  /** Operations of the description, selected or not. */
  readonly operations: number;
}

/**
 * The tools of a description: one for each operation that is selected and can be called, the rest with the reason why
 * not. Throws `resource.invalid` for overrides that give two tools one name, or a name that no tool can have.
 */
export function toolsFromOpenApi(document: OpenApiDocument, options: ToolOptions): ToolsOfOpenApi {
  const { candidates, broken, operations } = toolCandidates(document, options);
  const tools: OpenApiTool[] = [];
  const refused = [...broken];
  for (const { operation, make } of candidates) {
    try {
      tools.push(make());
    } catch (error) {
      refused.push({ operation, reason: refusalReason(error) });
    }
  }
  return { tools, refused, operations };
}

/** The selected operations under the names of their tools. Throws as `toolsFromOpenApi` does. */
export function toolCandidates(document: OpenApiDocument, options: ToolOptions): ToolCandidates {
  const { operations, broken } = listOperations(document);
  const names = toolNames(operations);
  const isSelected = operationSelector(options.select);
  const maker = { document, options, sizes: referenceSizes(document), withheld: withheldParameters(document) };
  const candidates = operations.flatMap((operation): readonly ToolCandidate[] => {
    const natural = names.get(operation) ?? "";
    if (!isSelected(operation, natural)) return [];
    const override = overrideOf(operation, natural, options.overrides);
    const own = {
      name: override.name ?? natural,
      annotations: { ...annotationsOf(operation.method), ...override.annotations },
    };
    const make = (): OpenApiTool => makeTool(operation, own, override, maker);
    return [{ ...own, operation: `${operation.method} ${operation.path}`, make }];
  });
  refuseSameNames(candidates);
  const unread = broken.map(({ path, cause }) => ({ operation: path, reason: refusalReason(cause) }));
  return { candidates, broken: unread, operations: operations.length };
}

/** Why an operation cannot be a tool; throws what is no refusal but a fault. */
export function refusalReason(error: unknown): string {
  if (!(error instanceof GatewayError)) throw error;
  return error.issues[0]?.message ?? error.message;
}

interface ToolMaker {
  readonly document: OpenApiDocument;
  readonly options: ToolOptions;
  readonly sizes: ReferenceSizes;
  readonly withheld: WithheldReason;
}

function makeTool(
  operation: OpenApiOperation,
  { name, annotations }: Pick<ToolCandidate, "name" | "annotations">,
  override: ToolOverride,
  maker: ToolMaker,
): OpenApiTool {
  const { document, options, sizes } = maker;
  const writer = schemaWriter(document, "input", sizes, options.nodeLimit ?? defaultNodeLimit);
  const fixed = options.fixed ?? new Map<string, unknown>();
  const context = { document, names: argumentNames(), writer, withheld: maker.withheld, fixed };
  const parameters = parameterInputs(operation, context);
  compilePath(operation.path, parameters.inputs); // refuses what no request could be made of
  const body = bodyInputs(operation, context);
  const answers = operationAnswers(document, operation, sizes);
  const inputSchema = inputSchemaOf([...parameters.arguments, ...(body?.arguments ?? [])], writer.definitions());
  return {
    definition: {
      name,
      ...titleOf(operation, override),
      description: override.description ?? describe(operation, body?.notes ?? []),
      inputSchema,
      ...outputOf(answers.schema, options.output ?? "declared"),
      annotations,
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

function refuseSameNames(candidates: readonly ToolCandidate[]): void {
  const seen = new Map<string, string>();
  for (const { name, operation } of candidates) {
    const other = seen.get(name);
    if (other !== undefined) throw invalid([{ path: "", message: `${operation} and ${other} are both ${name}` }]);
    if (!isToolName(name)) {
      const message = `${operation} cannot be called ${JSON.stringify(name.slice(0, 100))}: letters, digits, _ and -, at most 64`;
      throw invalid([{ path: "", message }]);
    }
    seen.set(name, operation);
  }
}
