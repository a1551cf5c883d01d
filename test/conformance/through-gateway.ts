import type { Tool } from "@modelcontextprotocol/client";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { createBrowser } from "../identity/resident/browser.ts";
import type { ScenarioContext } from "./through-gateway-auth.ts";
import { upstreamAuth } from "./through-gateway-auth.ts";
import type { ThroughGateway } from "./through-gateway-setting.ts";
import { settingVariable } from "./through-gateway-setting.ts";

// Run by the official suite: `node through-gateway.ts <url>`. Makes the server at the URL the upstream of a running
// gateway, and does through the gateway what the scenario asks of a client. Whoever must consent does.

const scenario = process.env["MCP_CONFORMANCE_SCENARIO"] ?? "";
const version = process.env["MCP_CONFORMANCE_PROTOCOL_VERSION"] ?? "2025-11-25";
const context = JSON.parse(process.env["MCP_CONFORMANCE_CONTEXT"] ?? "{}") as ScenarioContext; // the suite's own
const setting = JSON.parse(process.env[settingVariable] ?? "{}") as ThroughGateway; // as the test has written it
const upstreamUrl = process.argv.at(-1) ?? "";
const isModern = version >= "2026";

/** Consents that one call may need: the first, and one for more scopes. */
const mostConsents = 5;

const name = `c-${process.pid}-${Date.now() % 1_000_000}`;
const key = await publish();
await run();
process.exit(0);

async function publish(): Promise<string> {
  const auth = await upstreamAuth(scenario, upstreamUrl, context);
  const upstream = { production: { url: upstreamUrl, ...auth }, sandbox: { sameAs: "production" } };
  await control("POST", "/mcp-servers", { metadata: { name }, spec: { context: `/${name}`, upstream } });
  await control("POST", `/mcp-servers/${name}/publish`, {});
  const spec = { api: { kind: "McpServer", name }, application: setting.application, environment: "production" };
  return ((await control("POST", "/api-keys", { spec })) as { key: string }).key; // as the API's document says
}

async function control(method: string, path: string, body: object): Promise<unknown> {
  const headers = { authorization: `Bearer ${setting.adminToken}`, "content-type": "application/json" };
  const answer = await fetch(`${setting.controlUrl}/api/v1${path}`, { method, headers, body: JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

async function run(): Promise<void> {
  const client = await withConsent(connect);
  const { tools } = await withConsent(() => client.listTools());
  for (const call of callsOf(tools)) {
    await withConsent(async () => {
      const result = await client.callTool(call);
      const url = result.isError === true ? connectUrl(JSON.stringify(result.content)) : undefined;
      if (url !== undefined) throw new Error(url);
      return result;
    });
  }
  await client.close();
}

interface ToolCall {
  readonly name: string;
  readonly arguments: Record<string, unknown>;
}

function callsOf(tools: readonly Tool[]): readonly ToolCall[] {
  if (context.toolCalls !== undefined) return context.toolCalls;
  if (scenario.startsWith("auth/")) return [{ name: "test-tool", arguments: {} }];
  if (scenario === "tools_call") return [{ name: "add_numbers", arguments: { a: 5, b: 3 } }];
  if (scenario === "json-schema-2020-12-preservation") {
    const schema = tools.find((tool) => tool.name !== "json_schema_echo")?.inputSchema;
    return [{ name: "json_schema_echo", arguments: { schema } }];
  }
  return tools.map((tool) => ({ name: tool.name, arguments: {} }));
}

async function connect(): Promise<Client> {
  const options = {
    capabilities: { elicitation: { form: { applyDefaults: true } } },
    ...(isModern && { versionNegotiation: { mode: { pin: version } } }),
  };
  const client = new Client({ name: "through-gateway", version: "1.0.0" }, options);
  client.setRequestHandler("elicitation/create", () => ({ action: "accept", content: {} }));
  const transport = new StreamableHTTPClientTransport(new URL(`${setting.gatewayUrl}/${name}/mcp`), {
    requestInit: { headers: { authorization: `Bearer ${key}` } },
  });
  await client.connect(transport);
  return client;
}

async function withConsent<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let consents = 0; ; consents += 1) {
    try {
      return await work();
    } catch (error) {
      const { message, data } = error as { message: string; data?: unknown }; // thrown by the client, or just above
      const url = connectUrl(message + JSON.stringify(data ?? {}));
      if (url === undefined || consents >= mostConsents) throw error;
      await consent(url);
    }
  }
}

function connectUrl(text: string): string | undefined {
  return /https?:\/\/[\w.:[\]-]+\/auth\/connect\/[\w.?=%-]+/.exec(text)?.[0];
}

/** Logs in, allows, and follows the redirects: to the authorization server, and back with its answer. */
async function consent(url: string): Promise<void> {
  const browser = createBrowser(new URL(setting.gatewayUrl).origin);
  let seen = await browser.open(url);
  if (seen.html.includes('name="password"')) {
    seen = await browser.submit(seen, "log-in", { name: setting.user, password: setting.password });
  }
  seen = await browser.submit(seen, "allow");
  if (seen.redirect !== undefined) {
    const answer = await fetch(seen.redirect, { redirect: "manual" });
    seen = await browser.open(answer.headers.get("location") ?? "");
  }
  if (seen.status !== 200 || !seen.html.includes("Connected")) throw new Error(`not connected: ${seen.html}`);
}
