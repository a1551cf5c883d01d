import { secretName } from "../../core/api-spec.ts";
import { headerValue } from "../../kernel/header-value.ts";
import type { CompiledProvider, DialectId, ProviderCall, ProviderRequest } from "../../pipeline/define-provider.ts";
import { defineProvider } from "../../pipeline/define-provider.ts";
import type { PluginTools, SecretReader } from "../../pipeline/plugin.ts";
import { dropMembers } from "./drop-members.ts";
import type { OpenAiConfig } from "./openai-config.ts";
import { baseUrlSchema, openAiConfig } from "./openai-config.ts";
import { openAiUsage } from "./openai-usage.ts";

/** Anything that speaks OpenAI's dialect at a base URL. */
export const openaiCompatible = defineProvider({
  id: "openai-compatible",
  title: "OpenAI-compatible",
  summary: "Any server that speaks OpenAI's chat completions and embeddings.",
  config: openAiConfig(baseUrlSchema),
  examples: [
    { baseUrl: "https://llm.example.com/v1", apiKey: "${secret:llm-key}" },
    { baseUrl: "http://127.0.0.1:8000/v1", header: "x-api-key", scheme: "", headers: { "x-tenant": "blue" } },
  ],
  compile: (config, tools) => compileOpenAi(config, tools),
});

function pathOf({ operation, dialect }: ProviderCall): string {
  if (operation !== "chat") return `/${operation}`;
  return dialect === "openai-responses" ? "/responses" : "/chat/completions";
}

/** A provider of that configuration; what all of its kind share. Its key goes to its base URL and nowhere else. */
export function compileOpenAi(
  config: OpenAiConfig,
  { secrets }: PluginTools,
  dialects: readonly DialectId[] = ["openai-chat"],
): CompiledProvider {
  const drop = new Set(config.drop);
  const extra = Object.fromEntries(Object.entries(config.headers).map(([name, value]) => [name.toLowerCase(), value]));
  const header = config.header.toLowerCase();
  const secret = config.apiKey && secretName(config.apiKey);
  const keyless = headersOf(extra);
  let known = { key: "", headers: keyless }; // made anew only when the secret has changed
  const prefix = config.scheme === "" ? "" : `${config.scheme} `;
  return {
    baseUrl: config.baseUrl.replace(/\/+$/, ""),
    dialects,
    streamUsage: config.streamUsage,
    usage: openAiUsage,
    request(call) {
      if (secret === undefined) return build(call, drop, keyless);
      const withKey = (key: string): ProviderRequest => {
        if (key !== known.key) known = { key, headers: headersOf({ ...extra, [header]: `${prefix}${key}` }) };
        return build(call, drop, known.headers);
      };
      const key = readKey(secrets, secret);
      return key instanceof Promise ? key.then(withKey) : withKey(key);
    },
  };
}

// Read at each request, so that a secret that was changed is used at once.
function readKey(secrets: SecretReader, name: string): string | Promise<string> {
  const value = secrets.read(name);
  return value instanceof Promise ? value.then((key) => headerValue(key, name)) : headerValue(value, name);
}

interface CallHeaders {
  readonly models: Readonly<Record<string, string>>;
  readonly whole: Readonly<Record<string, string>>;
  readonly streamed: Readonly<Record<string, string>>;
}

// What comes back is passed on and read as it is, hence no encoding.
function headersOf(common: Readonly<Record<string, string>>): CallHeaders {
  const json = { ...common, "accept-encoding": "identity", "content-type": "application/json" };
  return {
    models: { ...common, "accept-encoding": "identity", accept: "application/json" },
    whole: { ...json, accept: "application/json" },
    streamed: { ...json, accept: "text/event-stream" },
  };
}

function build(
  call: ProviderCall,
  drop: ReadonlySet<string>,
  { models, whole, streamed }: CallHeaders,
): ProviderRequest {
  const { operation, stream, body } = call;
  const path = pathOf(call);
  if (operation === "models") return { method: "GET", path, headers: models, body: undefined };
  return { method: "POST", path, headers: stream ? streamed : whole, body: dropMembers(body, drop) };
}
