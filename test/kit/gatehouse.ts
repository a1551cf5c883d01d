import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { z } from "zod";
import { tailSpool } from "../../src/analytics/event-spool.ts";
import { loadConfig } from "../../src/config.ts";
import { generateApiKey } from "../../src/core/api-keys.ts";
import type { Actor } from "../../src/core/core-context.ts";
import { findKind } from "../../src/core/kinds.ts";
import type { llmApi } from "../../src/core/llm-api.ts";
import { publishApi } from "../../src/core/publishing.ts";
import { createResource, getResource, replaceResource } from "../../src/core/resources.ts";
import type { Log } from "../../src/kernel/log.ts";
import type { RunningGatehouse, StartOptions } from "../../src/main.ts";
import { startGatehouse } from "../../src/main.ts";
import type { AnalyticsEvent } from "../../src/pipeline/event.ts";

export const testActor: Actor = { type: "admin", id: "test" };

/** A log that keeps its lines for the test to read. */
export function memoryLog(): Log & { readonly lines: { level: string; fields: object; message: string }[] } {
  const lines: { level: string; fields: object; message: string }[] = [];
  const at = (level: string) => (fields: object, message: string) => void lines.push({ level, fields, message });
  return { lines, debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

export interface TestGatehouse extends AsyncDisposable {
  readonly running: RunningGatehouse;
  readonly log: ReturnType<typeof memoryLog>;
  readonly dataDir: string;
  /** Creates a resource, or replaces it; publishes it when its kind has revisions. */
  put(kind: string, name: string, spec: unknown): Promise<void>;
  /** A provider at `baseUrl`, an LLM API in front of it at `/{name}`, and a key: the usual beginning. */
  llm(name: string, baseUrl: string, spec?: Partial<z.input<(typeof llmApi)["spec"]>>): Promise<TestApi>;
  /** A key for an API. */
  key(api: string, bounds?: object): Promise<string>;
  /** All events recorded so far. */
  events(): Promise<AnalyticsEvent[]>;
}

export interface TestApi {
  /** The base URL for SDKs. */
  readonly url: string;
  readonly key: string;
}

/** The whole product in this process, on its own data directory and free ports. */
export async function startTestGatehouse(
  settings: Record<string, string> = {},
  options: Pick<StartOptions, "stalledMs"> = {},
): Promise<TestGatehouse> {
  const dataDir = await mkdtemp(join(tmpdir(), "gatehouse-test-"));
  const log = memoryLog();
  // The rows are read from the spool, which nobody may carry off; and no child process is started for each test.
  const flags = { dataDir, port: "0", controlPort: "0", "analytics.mode": "off", ...settings };
  const running = await startGatehouse(loadConfig({ flags, env: {}, cwd: dataDir }), { ...options, log });
  const { context } = running;

  const put = async (kindName: string, name: string, spec: unknown): Promise<void> => {
    const kind = findKind(kindName);
    if (kind === undefined) throw new Error(`no kind ${kindName}`);
    const body = { metadata: { name }, spec };
    const known = await getResource(context, kind, name).catch(() => undefined);
    if (known === undefined) await createResource(context, testActor, kind, body);
    else await replaceResource(context, testActor, kind, name, body, known.version);
    if (kind.live === "revision") await publishApi(context, testActor, kind, name);
  };
  const key = async (api: string, bounds: object = {}): Promise<string> => {
    const spec = { api: { kind: "LlmApi", name: api }, environment: "production", ...bounds };
    return (await generateApiKey(context, testActor, { spec })).key;
  };
  return {
    running,
    log,
    dataDir,
    put,
    key,
    async llm(name, baseUrl, spec = {}) {
      await put("LlmProvider", name, { use: "openai-compatible", with: { baseUrl } });
      const upstream = { production: { targets: [{ provider: name }] }, sandbox: { sameAs: "production" } };
      await put("LlmApi", name, { context: `/${name}`, upstream, ...spec });
      return { url: `${running.gatewayUrl}/${name}/v1`, key: await key(name) };
    },
    async events() {
      await running.spool.flush();
      const found: AnalyticsEvent[] = [];
      for await (const event of tailSpool({ directory: running.dataDirectory.spoolPath, follow: false }))
        found.push(event);
      return found;
    },
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
