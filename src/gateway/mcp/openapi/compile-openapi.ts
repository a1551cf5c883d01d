import { createHash } from "node:crypto";
import type { Environment } from "../../../core/environment.ts";
import type { McpOpenApiSpec } from "../../../core/mcp-openapi.ts";
import type { McpServerSpec } from "../../../core/mcp-server.ts";
import { GatewayError } from "../../../kernel/errors.ts";
import type { McpBackend } from "../../../mcp/backend.ts";
import type { ListCursors } from "../../../mcp/federation/list-cursors.ts";
import { compileOperation } from "../../../mcp/openapi/compile-operation.ts";
import type { JsonObject } from "../../../mcp/openapi/json-object.ts";
import { isJsonObject, objectMember, textMember } from "../../../mcp/openapi/json-object.ts";
import { readOpenApi } from "../../../mcp/openapi/read-openapi.ts";
import { toolOptions } from "../../../mcp/openapi/tool-options.ts";
import { toolsFromOpenApi } from "../../../mcp/openapi/tools-from-openapi.ts";
import type { ProtocolCompileInput } from "../../../pipeline/adapter.ts";
import type { ProbeTools } from "../compile-mcp.ts";
import { withConsent } from "../credentials/consent-backend.ts";
import { createOpenApiServer } from "./openapi-server.ts";
import { sendRequest } from "./send-request.ts";

export interface OpenApiTools extends Pick<ProbeTools, "upstream" | "clock" | "credentials" | "backends"> {
  readonly cursors: ListCursors;
}

/**
 * The backends of `spec.openapi`, one for each environment. Faults, and nothing then: a description that cannot be read,
 * no operation selected, no address to call. Selected operations that cannot be tools are left out and logged.
 */
export function compileOpenApi(
  input: ProtocolCompileInput,
  spec: McpOpenApiSpec,
  tools: OpenApiTools,
): Readonly<Record<Environment, McpBackend>> | undefined {
  try {
    const production = holdServer(input, spec, "production", spec.production, tools);
    const { sandbox } = spec;
    return {
      production,
      sandbox: "sameAs" in sandbox ? production : holdServer(input, spec, "sandbox", sandbox, tools),
    };
  } catch (error) {
    if (!(error instanceof GatewayError) || error.status >= 500) throw error;
    const issues = error.issues.length > 0 ? error.issues : [{ path: "", message: error.message }];
    for (const { path, message } of issues) {
      input.fault({ path: ["spec.openapi", path].filter((part) => part !== "").join("."), message });
    }
    return undefined;
  }
}

type Block = McpOpenApiSpec["production"];

/** A large description takes a second to compile: while any snapshot has it, it is not compiled again. */
function holdServer(
  { artifact, tools: plugins, onDispose }: ProtocolCompileInput,
  spec: McpOpenApiSpec,
  environment: Environment,
  block: Block,
  tools: OpenApiTools,
): McpBackend {
  const { limits, version } = artifact.spec as McpServerSpec; // the snapshot compiler has just parsed it
  const maxBytes = Math.min(limits.responseBytes, mostAnswerBytes);
  const made = JSON.stringify([artifact.id, artifact.name, version, environment, spec, block, maxBytes]);
  const key = `openapi/${createHash("sha256").update(made).digest("hex")}`;
  const { server, release } = tools.backends.hold(key, () => {
    const place = { apiId: artifact.id, environment, url: block.url ?? "", secrets: plugins.secrets };
    const credential = tools.credentials(block.auth, place);
    const { upstream } = tools;
    const sender = { upstream, credential, timeouts: block.timeouts, maxBytes };
    const { document, served, refused } = readTools(spec, block, maxBytes);
    for (const { operation, reason } of refused) {
      plugins.log.warn({ api: artifact.name, operation, reason }, "an operation cannot be a tool, and is left out");
    }
    const own = createOpenApiServer({
      serverInfo: { name: artifact.name, version },
      instructions: instructionsOf(document),
      tools: served,
      pageSize: spec.pageSize,
      cursors: tools.cursors,
      send: (request, context) => sendRequest(request, context, sender),
    });
    return credential.isGranted === undefined ? own : withConsent(own, credential, tools);
  });
  onDispose(`${artifact.id}/openapi/${environment}`, release);
  return server;
}

/** What becomes a result is in memory several times over. */
const mostAnswerBytes = 16_777_216;

function readTools(spec: McpOpenApiSpec, { url }: Block, limitBytes: number) {
  const { document: root = {}, source } = spec;
  const others = new Map<string, JsonObject>(Object.entries(source?.others ?? {}));
  const document = readOpenApi(root, { ...(source && { address: source.url }), others });
  const { tools, refused } = toolsFromOpenApi(document, toolOptions(spec));
  if (tools.length === 0) {
    const [first] = refused;
    const why = first === undefined ? "no operation is selected" : `${first.operation}: ${first.reason}`;
    throw new GatewayError("resource.invalid", `There are no tools: ${why}.`, {
      issues: [{ path: "select", message: `gives no tools: ${why}` }],
    });
  }
  const options = { limitBytes, ...(url !== undefined && { baseUrl: url }) };
  const served = tools.map((tool) => ({
    definition: tool.definition,
    operation: compileOperation(tool, options),
  }));
  return { document: root, served, refused };
}

const longestInstructions = 4_000;

function instructionsOf(document: unknown): string | undefined {
  const info = isJsonObject(document) ? objectMember(document, "info") : {};
  return textMember(info, "description")?.slice(0, longestInstructions).toWellFormed();
}
