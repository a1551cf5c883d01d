import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PinnedProcess } from "../pinned.ts";
import { moveChildren, startPinned } from "../pinned.ts";
import type { RunningLane } from "./lane.ts";
import { chatPath, mcpPath, messagesPath } from "./lane.ts";
import { startRedis } from "./redis.ts";

export interface GatehouseLaneOptions {
  readonly protocol: "llm" | "mcp";
  /** An API key and a rate limit; else the API is open to everybody. */
  readonly governed: boolean;
  /** Events are recorded. */
  readonly events: boolean;
  /** Limits are counted in a Redis of the lane's own, which runs on the core of the mock. */
  readonly redis?: boolean;
  /** Clients of OpenAI's at a provider of Anthropic's, or the other way round; untouched bytes when absent. */
  readonly translates?: "to-anthropic" | "from-anthropic";
  /** Policies in the place of the rate limit. */
  readonly policies?: readonly object[];
  /** The data plane in a process of its own, with its control plane on the core of the mock; one for both when absent. */
  readonly apart?: boolean;
}

/**
 * Gatehouse as its users start it: the command, a data directory of its own, resources by the control API. The governed
 * lane runs in production mode; the open one cannot, for production refuses an API without keys.
 */
export async function startGatehouseLane(
  upstreamUrl: string,
  options: GatehouseLaneOptions,
): Promise<RunningLane & { readonly control: ControlCall }> {
  await using opened = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), "gatehouse-bench-"));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const redis = options.redis === true ? opened.use(await startRedis()) : undefined;
  const adminToken = randomBytes(24).toString("hex");
  const env = {
    GATEHOUSE_ENV: options.governed ? "production" : "development",
    GATEHOUSE_ADMIN_TOKEN: adminToken,
    GATEHOUSE_ENCRYPTION_KEY: randomBytes(32).toString("hex"),
    GATEHOUSE_NETWORK_ALLOW_CIDRS: "127.0.0.0/8",
    GATEHOUSE_LOG_LEVEL: "warn",
    ...(redis && { GATEHOUSE_REDIS_URL: redis.url }),
    ...(!options.events && { GATEHOUSE_ANALYTICS_EVENTS: "off" }),
  };
  const bin = join(import.meta.dirname, "..", "..", "bin", "gatehouse.cjs");
  const args = [bin, "start", "--data", dataDir, "--port", "0", "--control-port", "0"];
  const start = () => startPinned("subject", process.execPath, args, { env, cwd: dataDir });
  const key = await configured(start(), adminToken, upstreamUrl, options);
  // What is measured is a process that has only served traffic.
  const server = opened.use(options.apart === true ? await startApart(opened, adminToken, env, args) : start());
  const [, gatewayUrl = "", controlUrl = ""] = await server.line(/: gateway ([^\s,]+)(?:, control plane (\S+?)\. )?/);
  const running = opened.move();
  return {
    url: `${gatewayUrl}/bench${pathOf(options)}`,
    headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
    pid: server.pid,
    control: controlCall(controlUrl, adminToken),
    // The store is no part of the gateway: a server of its own would be on another machine.
    settle: () => moveChildren(server.pid, "client"),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** The gateway of an installation whose control plane runs beside it, with the data directory that has the resources. */
async function startApart(
  opened: AsyncDisposableStack,
  adminToken: string,
  env: Readonly<Record<string, string>>,
  args: readonly string[],
): Promise<PinnedProcess> {
  const dataDir = await mkdtemp(join(tmpdir(), "gatehouse-bench-gateway-"));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const forControl = { ...env, GATEHOUSE_PUBLIC_URL: "http://127.0.0.1:1" }; // said to clients, and nobody asks here
  const control = opened.use(
    startPinned("client", process.execPath, [...args, "--planes", "control"], { env: forControl }),
  );
  const [, controlUrl = ""] = await control.line(/control plane (\S+?)[,.]? /);
  const headers = { authorization: `Bearer ${adminToken}` };
  const answer = await fetch(`${controlUrl}/api/v1/gateways/default/tokens`, { method: "POST", headers });
  if (!answer.ok) throw new Error(`no token for a gateway: ${answer.status}`);
  const { token } = (await answer.json()) as { token: string }; // what the control API promises for 201
  const tokenFile = join(dataDir, "token");
  await writeFile(tokenFile, `${token}\n`, { mode: 0o600 });
  const [bin = "", command = ""] = args;
  const own = [bin, command, "--planes", "gateway", "--data", dataDir, "--port", "0"];
  const where = ["--control-url", controlUrl, "--gateway-token-file", tokenFile];
  return startPinned("subject", process.execPath, [...own, ...where], { env, cwd: dataDir });
}

function pathOf({ protocol, translates }: GatehouseLaneOptions): string {
  if (protocol === "mcp") return mcpPath;
  return translates === "from-anthropic" ? messagesPath : chatPath;
}

async function addresses(server: PinnedProcess): Promise<{ gatewayUrl: string; controlUrl: string }> {
  const [, gatewayUrl = "", controlUrl = ""] = await server.line(/: gateway (\S+), control plane (\S+?)\. /);
  return { gatewayUrl, controlUrl };
}

/** Asks the control API, by a path below `/api/v1`. Rejects unless the answer is one of success. */
export type ControlCall = (method: "GET" | "POST", path: string, body?: unknown) => Promise<unknown>;

function controlCall(controlUrl: string, adminToken: string): ControlCall {
  return async (method, path, body) => {
    const headers = { authorization: `Bearer ${adminToken}`, "content-type": "application/json" };
    const sent = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
    const answer = await fetch(`${controlUrl}/api/v1${path}`, sent);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${text}`);
    return JSON.parse(text) as unknown;
  };
}

async function configured(
  started: PinnedProcess,
  adminToken: string,
  upstreamUrl: string,
  options: GatehouseLaneOptions,
): Promise<string | undefined> {
  await using server = started;
  const { controlUrl } = await addresses(server);
  return await configure(controlUrl, adminToken, upstreamUrl, options);
}

/** Puts up the API `bench`; the key that opens it when it asks for one. */
async function configure(
  controlUrl: string,
  adminToken: string,
  upstreamUrl: string,
  { protocol, governed, translates, policies }: GatehouseLaneOptions,
): Promise<string | undefined> {
  const control = controlCall(controlUrl, adminToken);
  const documents = resources(protocol, governed, upstreamUrl, translates === "to-anthropic", policies);
  await control("POST", "/apply", {
    documents: documents.map((value, at) => ({ source: "bench", line: at + 1, value })),
  });
  if (!governed) return undefined;
  const kind = protocol === "llm" ? "LlmApi" : "McpServer";
  const made = await control("POST", "/api-keys", {
    spec: { api: { kind, name: "bench" }, environment: "production" },
  });
  return (made as { key: string }).key; // what the control API promises for 201
}

function resources(
  protocol: "llm" | "mcp",
  governed: boolean,
  upstreamUrl: string,
  isAnthropic: boolean,
  policies: readonly object[] | undefined,
): readonly object[] {
  const limit = { use: "rate-limit", with: { requests: 1_000_000_000, windowMs: 60_000 } };
  const common = {
    context: "/bench",
    ...(governed ? { policies: policies ?? [limit] } : { security: { apiKey: false, keyless: true } }),
  };
  const sandbox = { sameAs: "production" };
  if (protocol === "mcp") {
    return [document("McpServer", { ...common, upstream: { production: { url: upstreamUrl + mcpPath }, sandbox } })];
  }
  // A soak fails on purpose, and often.
  const production = { targets: [{ provider: "bench" }], breaker: { failures: 0 } };
  return [
    document("LlmProvider", {
      use: isAnthropic ? "anthropic" : "openai-compatible",
      with: { baseUrl: `${upstreamUrl}/v1`, ...(isAnthropic && { apiKey: "sk-bench" }) },
    }),
    document("LlmApi", { ...common, upstream: { production, sandbox } }),
  ];
}

function document(kind: string, spec: object): object {
  return { apiVersion: "gatehouse/v1", kind, metadata: { name: "bench" }, spec };
}
