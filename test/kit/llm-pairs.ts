import { generateKeyPairSync } from "node:crypto";
import { putSecret } from "../../src/core/secrets.ts";
import type { TestApi, TestGatehouse } from "./gatehouse.ts";
import { startTestGatehouse, testActor } from "./gatehouse.ts";
import type { LlmReplay, UpstreamId } from "./llm-replay.ts";
import { startLlmReplay, upstreams } from "./llm-replay.ts";

/** The whole product with an API in front of each upstream of the matrix. */
export interface LlmPairs extends AsyncDisposable {
  readonly gatehouse: TestGatehouse;
  readonly replay: LlmReplay;
  readonly apis: Readonly<Record<UpstreamId, TestApi>>;
}

/** Model names as clients ask for them, one of each provider. */
export const models: Readonly<Record<UpstreamId, string>> = {
  openai: "gpt-5.1",
  "azure-openai": "gpt-5.1",
  anthropic: "claude-sonnet-4-5",
  gemini: "gemini-2.5-flash",
  vertex: "gemini-2.5-flash",
  "vertex-claude": "claude-sonnet-4-5",
  bedrock: "anthropic.claude-sonnet-4-5-20250929-v1:0",
  mistral: "mistral-medium-latest",
  ollama: "qwen3:8b",
};

/** Starts it; no target is ever left alone, and no call repeated, so that each answer is that of its request. */
export async function startLlmPairs(): Promise<LlmPairs> {
  await using opened = new AsyncDisposableStack();
  const replay = opened.use(await startLlmReplay());
  const gatehouse = opened.use(await startTestGatehouse());
  const { context } = gatehouse.running;
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  const { url } = replay.upstream;
  const account = {
    client_email: "gateway@example.iam.gserviceaccount.com",
    private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
    token_uri: `${url}/token`,
  };
  await putSecret(context, testActor, { name: "account-key", value: "sk-account" });
  await putSecret(context, testActor, { name: "service-account", value: JSON.stringify(account) });
  const made = providers(url);
  const apis: Partial<Record<UpstreamId, TestApi>> = {};
  for (const id of upstreams) {
    await gatehouse.put("LlmProvider", id, made[id]);
    const production = { targets: [{ provider: id }], breaker: { failures: 0 }, maxAttempts: 1 };
    await gatehouse.put("LlmApi", id, {
      context: `/${id}`,
      upstream: { production, sandbox: { sameAs: "production" } },
    });
    apis[id] = { url: `${gatehouse.running.gatewayUrl}/${id}/v1`, key: await gatehouse.key(id) };
  }
  const running = opened.move();
  // Each of the list was just put in.
  return { gatehouse, replay, apis: apis as LlmPairs["apis"], [Symbol.asyncDispose]: () => running.disposeAsync() };
}

function providers(url: string): Readonly<Record<UpstreamId, object>> {
  const apiKey = "${secret:account-key}";
  const serviceAccountKey = "${secret:service-account}";
  const google = { project: "acme-ai", location: "europe-west1", serviceAccountKey };
  return {
    openai: { use: "openai", with: { baseUrl: `${url}/openai/v1`, apiKey } },
    "azure-openai": { use: "azure-openai", with: { endpoint: `${url}/azure-openai`, apiKey } },
    anthropic: { use: "anthropic", with: { baseUrl: `${url}/anthropic/v1`, apiKey } },
    gemini: { use: "gemini", with: { baseUrl: `${url}/gemini/v1beta`, apiKey } },
    vertex: { use: "vertex", with: { ...google, endpoint: `${url}/vertex/v1` } },
    "vertex-claude": {
      use: "vertex",
      with: { ...google, publisher: "anthropic", endpoint: `${url}/vertex-claude/v1` },
    },
    bedrock: {
      use: "bedrock",
      with: {
        region: "eu-central-1",
        endpoint: `${url}/bedrock`,
        accessKeyId: "AKIDEXAMPLE",
        secretAccessKey: apiKey,
      },
    },
    mistral: { use: "mistral", with: { baseUrl: `${url}/mistral/v1`, apiKey } },
    ollama: { use: "ollama", with: { baseUrl: `${url}/ollama/v1` } },
  };
}
