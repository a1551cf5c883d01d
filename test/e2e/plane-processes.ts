import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import type { GatehouseProcess, ProcessOptions } from "../kit/gatehouse-process.ts";
import { startGatehouseProcess } from "../kit/gatehouse-process.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { startMockUpstream } from "../kit/mock-upstream.ts";

export const adminToken = "processes-admin-token-0123456789";
export const upstreamSecret = "sk-of-the-upstream-0123456789";

type Env = Readonly<Record<string, string>>;

/** Processes of one installation, with an upstream for its APIs. Disposing kills them and removes what they have kept. */
export interface Processes extends AsyncDisposable {
  /** Holds a directory for each process. */
  readonly root: string;
  readonly upstream: MockUpstream;
  startControl(env?: Env, args?: readonly string[]): Promise<GatehouseProcess>;
  /** A gateway that runs alone, with a token of its own or a given one. */
  startGateway(name: string, control: GatehouseProcess, options?: GatewayOptions): Promise<GatehouseProcess>;
  start(options: ProcessOptions): Promise<GatehouseProcess>;
  gatewayOptions(name: string, control: GatehouseProcess, options?: GatewayOptions): Promise<ProcessOptions>;
  /** An API whose upstream wants a secret, and a key. */
  putUpApi(control: GatehouseProcess, policies?: readonly unknown[], spec?: object): Promise<string>;
}

interface GatewayOptions {
  readonly token?: string;
  readonly env?: Env;
}

export async function openProcesses(): Promise<Processes> {
  const root = await mkdtemp(join(tmpdir(), "gatehouse-processes-"));
  const upstream = await startMockUpstream();
  const open = new AsyncDisposableStack();
  const directoryOf = async (name: string): Promise<string> => {
    const dataDir = join(root, name);
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    return dataDir;
  };
  const processes: Processes = {
    root,
    upstream,
    start: async (options) => open.use(await startGatehouseProcess(options)),
    async startControl(env = {}, args = []) {
      return processes.start({ dataDir: await directoryOf("control"), adminToken, env, args });
    },
    async startGateway(name, control, options = {}) {
      return processes.start(await processes.gatewayOptions(name, control, options));
    },
    async gatewayOptions(name, control, { token, env } = {}) {
      const dataDir = await directoryOf(name);
      const tokenFile = join(root, `${name}.token`);
      if (token !== undefined) await writeFile(tokenFile, `${token}\n`, { mode: 0o600 });
      const args = ["--planes", "gateway", "--control-url", control.controlUrl, "--gateway-token-file", tokenFile];
      const encryption = { GATEHOUSE_ENCRYPTION_KEY: "c3".repeat(32) }; // its own, not the control plane's
      return { dataDir, adminToken, args, env: { GATEHOUSE_GATEWAY_NODE: name, ...encryption, ...env } };
    },
    async putUpApi(control, policies = [], spec = {}) {
      await control.control("PUT", "/secrets/upstream-key", { value: upstreamSecret });
      const config = { baseUrl: `${upstream.url}/v1`, apiKey: "${secret:upstream-key}" };
      const provider = { use: "openai-compatible", with: config };
      await put(control, "/llm-providers", { metadata: { name: "p" }, spec: provider });
      const target = { production: { targets: [{ provider: "p" }] }, sandbox: { sameAs: "production" } };
      const api = { context: "/a", upstream: target, policies, ...spec };
      await put(control, "/llm-apis", { metadata: { name: "a" }, spec: api });
      expect((await control.control("POST", "/llm-apis/a/publish")).status).toBeLessThan(300);
      return (await newKey(control, "first")).key;
    },
    async [Symbol.asyncDispose]() {
      await open.disposeAsync();
      await upstream[Symbol.asyncDispose]();
      await rm(root, { recursive: true, force: true });
    },
  };
  return processes;
}

export async function addToken(control: GatehouseProcess, gateway = "default"): Promise<string> {
  const { status, json } = await control.control("POST", `/gateways/${gateway}/tokens`);
  expect(status).toBe(201);
  return (json as { token: string }).token; // the status was looked at
}

export async function put(control: GatehouseProcess, path: string, body: unknown): Promise<void> {
  const { status, text } = await control.control("POST", path, body);
  expect({ path, status, text: status < 300 ? "" : text }).toEqual({ path, status: 201, text: "" });
}

export async function newKey(
  control: GatehouseProcess,
  name: string,
  more: object = {},
): Promise<{ readonly key: string }> {
  const spec = { api: { kind: "LlmApi", name: "a" }, environment: "production", ...more };
  const { json } = await control.control("POST", "/api-keys", { metadata: { name }, spec });
  return json as { key: string }; // a call with it fails where there is none
}

/** Asks for a chat and gives the answer as it comes. */
export async function open(
  gateway: GatehouseProcess,
  key: string,
  { signal, ...more }: { readonly stream?: boolean; readonly signal?: AbortSignal } = {},
): Promise<Response> {
  return fetch(`${gateway.gatewayUrl}/a/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "Hello" }], ...more }),
    ...(signal !== undefined && { signal }),
  });
}

/** The status of a chat, when its answer has come whole. */
export async function call(gateway: GatehouseProcess, key: string): Promise<number> {
  const response = await open(gateway, key);
  await response.arrayBuffer();
  return response.status;
}
