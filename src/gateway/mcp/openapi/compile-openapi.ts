import { unsaidVersion } from "../../../core/api-spec.ts";
import type { Environment } from "../../../core/environment.ts";
import type { McpOpenApiSpec } from "../../../core/mcp-openapi.ts";
import type { McpServerSpec } from "../../../core/mcp-server.ts";
import type { ApiArtifact } from "../../../core/plane-message.ts";
import { restApi } from "../../../core/rest-api.ts";
import { GatewayError } from "../../../kernel/errors.ts";
import type { Log } from "../../../kernel/log.ts";
import type { McpBackend } from "../../../mcp/backend.ts";
import type { ListCursors } from "../../../mcp/federation/list-cursors.ts";
import type { CompileOptions } from "../../../mcp/openapi/compile-operation.ts";
import { compileOperation } from "../../../mcp/openapi/compile-operation.ts";
import type { JsonObject } from "../../../mcp/openapi/json-object.ts";
import { isJsonObject, objectMember, textMember } from "../../../mcp/openapi/json-object.ts";
import type { RefusedOperation } from "../../../mcp/openapi/openapi-tool.ts";
import { readOpenApi } from "../../../mcp/openapi/read-openapi.ts";
import { toolOptions } from "../../../mcp/openapi/tool-options.ts";
import { toolCandidates } from "../../../mcp/openapi/tools-from-openapi.ts";
import type { ProtocolCompileInput } from "../../../pipeline/adapter.ts";
import type { NestedRunner } from "../../../pipeline/run-nested.ts";
import type { ProbeTools } from "../compile-mcp.ts";
import { withConsent } from "../credentials/consent-backend.ts";
import type { OpenApiServerParts } from "./openapi-server.ts";
import { createOpenApiServer } from "./openapi-server.ts";
import { sendRequest } from "./send-request.ts";
import { sendThroughApi } from "./send-through-api.ts";
import type { ServedTools } from "./served-tools.ts";
import { createServedTools } from "./served-tools.ts";

export interface OpenApiTools extends Pick<ProbeTools, "upstream" | "clock" | "credentials" | "backends"> {
  readonly cursors: ListCursors;
  /** Runs calls of tools that belong to an API which is held here. */
  readonly runner: NestedRunner;
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
    const { api, production: block, sandbox } = spec;
    if (api !== undefined) {
      const own = holdApi(input, spec, api, tools);
      return own && { production: own, sandbox: own }; // the API has its own environments
    }
    if (block === undefined || sandbox === undefined) return undefined; // the kind's schema has refused it
    const production = holdServer(input, spec, "production", block, tools);
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

type Block = NonNullable<McpOpenApiSpec["production"]>;

/** Tools of a REST API that is deployed here, whose calls go through it. */
function holdApi(
  { artifact, apis, tools: plugins, fault, onDispose }: ProtocolCompileInput,
  spec: McpOpenApiSpec,
  name: string,
  tools: OpenApiTools,
): McpBackend | undefined {
  const api = apis.find((each) => each.kind === restApi.kind && each.name === name);
  const parsed = restApi.spec.safeParse(api?.spec).data;
  if (parsed === undefined) {
    fault({ path: "spec.openapi.api", message: `RestApi/${name} is not deployed: publish it first` });
    return undefined;
  }
  const { openapi, ...definition } = parsed.definition;
  const described = { ...spec, document: { openapi, ...definition } }; // reading it tells a version that is none
  const { url } = parsed.upstream.production;
  return hold({ artifact, tools: plugins, onDispose }, tools, [api?.specHash], (version) =>
    // Only the path below the address counts: where it goes, the API says.
    serveTools(
      described,
      new URL(url).origin,
      { limitBytes: parsed.limits.responseBytes },
      {
        artifact,
        version,
        log: plugins.log,
        cursors: tools.cursors,
        send: (request, context, plan) => sendThroughApi(name, request, plan, context, tools.runner),
      },
    ),
  );
}

function holdServer(
  input: ProtocolCompileInput,
  spec: McpOpenApiSpec,
  environment: Environment,
  block: Block,
  tools: OpenApiTools,
): McpBackend {
  const { artifact, tools: plugins } = input;
  const { limits } = artifact.spec as McpServerSpec; // the snapshot compiler has just parsed it
  const maxBytes = Math.min(limits.responseBytes, mostAnswerBytes);
  return hold(input, tools, [environment], (version) => {
    const place = { apiId: artifact.id, environment, url: block.url ?? "", secrets: plugins.secrets };
    const credential = tools.credentials(block.auth, place);
    const { upstream, cursors } = tools;
    const sender = { upstream, credential, timeouts: block.timeouts, maxBytes };
    const own = serveTools(
      spec,
      block.url,
      { limitBytes: maxBytes, schemaSteps: limits.schemaSteps },
      {
        artifact,
        version,
        log: plugins.log,
        cursors,
        send: (request, context) => sendRequest(request, context, sender),
      },
    );
    return credential.isGranted === undefined ? own : withConsent(own, credential, tools);
  });
}

/** What was read of a description, and the tools that were made, are kept while any snapshot has them. */
function hold(
  { artifact, onDispose }: Pick<ProtocolCompileInput, "artifact" | "tools" | "onDispose">,
  tools: OpenApiTools,
  more: readonly unknown[],
  make: (version: string) => McpBackend,
): McpBackend {
  const { version = unsaidVersion } = artifact.spec as McpServerSpec; // as above
  const key = `openapi/${JSON.stringify([artifact.id, artifact.name, artifact.specHash, more])}`;
  const { server, release } = tools.backends.hold(key, () => make(version));
  onDispose(`${artifact.id}/openapi`, release);
  return server;
}

interface Serving extends Pick<OpenApiServerParts, "send" | "cursors"> {
  readonly artifact: ApiArtifact;
  readonly version: string;
  readonly log: Log;
}

function serveTools(
  spec: McpOpenApiSpec,
  baseUrl: string | undefined,
  bounds: Bounds,
  { artifact, version, log, cursors, send }: Serving,
): McpBackend {
  const { document, served } = readTools(spec, baseUrl, bounds, ({ operation, reason }) =>
    log.warn({ api: artifact.name, operation, reason }, "an operation cannot be a tool, and is left out"),
  );
  return createOpenApiServer({
    serverInfo: { name: artifact.name, version },
    instructions: instructionsOf(document),
    tools: served,
    pageSize: spec.pageSize,
    cursors,
    send,
  });
}

/** What becomes a result is in memory several times over. */
const mostAnswerBytes = 16_777_216;

type Bounds = Pick<CompileOptions, "limitBytes" | "schemaSteps">;

function readTools(
  spec: McpOpenApiSpec,
  url: string | undefined,
  bounds: Bounds,
  refuse: (refused: RefusedOperation) => void,
): { readonly document: JsonObject; readonly served: ServedTools } {
  const { document: root = {}, source } = spec;
  const others = new Map<string, JsonObject>(Object.entries(source?.others ?? {}));
  const document = readOpenApi(root, { ...(source && { address: source.url }), others });
  const { candidates, broken } = toolCandidates(document, toolOptions(spec));
  const options = { ...bounds, ...(url !== undefined && { baseUrl: url }) };
  const refused = [...broken];
  for (const each of broken) refuse(each);
  const served = createServedTools(
    candidates,
    (tool) => compileOperation(tool, options),
    (each) => {
      refused.push(each);
      refuse(each);
    },
  );
  if (served.first() === undefined) {
    const [first] = refused;
    const why = first === undefined ? "no operation is selected" : `${first.operation}: ${first.reason}`;
    throw new GatewayError("resource.invalid", `There are no tools: ${why}.`, {
      issues: [{ path: "select", message: `gives no tools: ${why}` }],
    });
  }
  return { document: root, served };
}

const longestInstructions = 4_000;

function instructionsOf(document: unknown): string | undefined {
  const info = isJsonObject(document) ? objectMember(document, "info") : {};
  return textMember(info, "description")?.slice(0, longestInstructions).toWellFormed();
}
