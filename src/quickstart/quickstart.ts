import type { Config } from "../config.ts";
import type { CoreContext } from "../core/core-context.ts";
import type { DataPaths } from "../store/data-directory.ts";
import { demoModelName, startDemoModel } from "./demo-model.ts";
import type { QuickstartCatalog, WantedApi } from "./quickstart-catalog.ts";
import { quickstartCatalog } from "./quickstart-catalog.ts";
import { quickstartClient } from "./quickstart-client.ts";
import type { QuickstartApi, QuickstartFacts } from "./quickstart-file.ts";
import { readQuickstartFile, writeQuickstartFile } from "./quickstart-file.ts";
import { demoPort, putDemo, putOpenAi, routedModelName } from "./quickstart-llm.ts";
import { notesName, startQuickstartNotes } from "./quickstart-notes.ts";
import { putWorkspace, workspaceName } from "./quickstart-workspace.ts";
import { unlessRefused } from "./unless-refused.ts";

export interface QuickstartOptions {
  readonly context: CoreContext;
  readonly config: Config;
  readonly dataDirectory: Pick<DataPaths, "path" | "quickstartPath">;
  readonly adminToken: string;
  readonly gatewayUrl: string;
  readonly controlUrl: string;
  /** Told of each step. */
  readonly progress: (line: string) => void;
}

/** The running quickstart; disposing ends the demonstration model and the notes server. */
export interface Quickstart extends AsyncDisposable {
  readonly facts: QuickstartFacts;
  /** Of the notes server's process; undefined where none runs. */
  readonly notesPid: () => number | undefined;
}

/**
 * Puts up what a newcomer tries first: a demonstration model with an LLM API `demo` before it, the same for OpenAI when
 * its key is configured, a notes server with the MCP server `notes` before it, a REST API as the MCP server `books` and both
 * as the virtual server `workspace`, and an API key for each but `books`; writes them to `quickstart.json`. What is there already stays as its owner has left it, what its owner has deleted stays
 * away, and what the catalog refuses (its context may be in use) is told and left out, so that a second start changes
 * nothing. For development only.
 */
export async function startQuickstart(options: QuickstartOptions): Promise<Quickstart> {
  const { context, config, dataDirectory, adminToken, gatewayUrl, controlUrl, progress } = options;
  const catalog = quickstartCatalog(context, gatewayUrl);
  await using starting = new AsyncDisposableStack();
  const provider = await catalog.find("LlmProvider", "demo");
  const model = starting.use(await startDemoModel({ clock: context.clock, preferredPort: demoPort(provider) }));
  progress(`demonstration model at ${model.baseUrl}`);
  await unlessRefused("LLM API demo", progress, () => putDemo(catalog, provider, model.baseUrl));
  const { openaiApiKey, openaiModel } = config.quickstart;
  if (openaiApiKey !== undefined) await startOpenAi(catalog, { ...config.quickstart, openaiApiKey }, progress);
  const notes = starting.use(await startQuickstartNotes({ catalog, context, dataPath: dataDirectory.path, progress }));
  await unlessRefused("MCP server workspace", progress, () => putWorkspace(catalog, model.restUrl));

  const wanted: readonly WantedApi[] = [
    { kind: "LlmApi", name: "demo", suffix: "/v1", model: demoModelName, routedModel: routedModelName },
    ...(openaiApiKey === undefined ? [] : [{ kind: "LlmApi", name: "openai", suffix: "/v1", model: openaiModel }]),
    { kind: "McpServer", name: notesName, suffix: "/mcp" },
    { kind: "McpServer", name: workspaceName, suffix: "/mcp" },
  ];
  const before = await readQuickstartFile(dataDirectory.quickstartPath);
  const apis: QuickstartApi[] = [];
  for (const each of wanted) {
    const opened = await catalog.open(each, before);
    if (opened === undefined) continue;
    apis.push(opened.api);
    const what = each.kind === "McpServer" ? "MCP server" : "LLM API";
    progress(`${what} ${each.name} at ${opened.api.url}${opened.hasNewKey ? ", with a new API key" : ""}`);
  }
  const client = await unlessRefused("OAuth client", progress, () =>
    quickstartClient({ context, catalog, gatewayUrl, known: before?.client }),
  );
  const facts = { gatewayUrl, controlUrl, adminToken, apis, ...(client !== undefined && { client }) };
  await writeQuickstartFile(dataDirectory.quickstartPath, facts);
  progress(`facts for scripts in ${dataDirectory.quickstartPath}`);
  const started = starting.move();
  return { facts, notesPid: () => notes?.pid, [Symbol.asyncDispose]: () => started.disposeAsync() };
}

async function startOpenAi(
  catalog: QuickstartCatalog,
  { openaiApiKey, openaiBaseUrl }: { readonly openaiApiKey: string; readonly openaiBaseUrl: string },
  progress: (line: string) => void,
): Promise<void> {
  const baseUrl = usableBaseUrl(openaiBaseUrl);
  if (baseUrl === undefined) {
    progress(
      "no LLM API openai this time: OPENAI_BASE_URL must be an http or https URL without user, query or fragment",
    );
    return;
  }
  const isUp = await unlessRefused("LLM API openai", progress, () => putOpenAi(catalog, openaiApiKey, baseUrl));
  if (isUp === true) progress(`provider openai at ${baseUrl}`);
}

function usableBaseUrl(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") return undefined;
  return /[?#]/.test(text) ? undefined : text.trim().replace(/\/+$/, "");
}
