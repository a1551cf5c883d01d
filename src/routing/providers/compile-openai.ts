import { secretName } from "../../core/api-spec.ts";
import { headerValue } from "../../kernel/header-value.ts";
import type { CompiledProvider, DialectId, ProviderCall, ProviderRequest } from "../../pipeline/define-provider.ts";
import type { PluginTools, SecretReader } from "../../pipeline/plugin.ts";
import type { OpenAiConfig } from "./openai-config.ts";
import { openAiUsage } from "./openai-usage.ts";
import { reshapeMembers } from "./reshape-members.ts";
import { withValue } from "./secret-header.ts";

/** What a provider of this kind does differently, beside its configuration. */
export interface OpenAiBehaviour {
  readonly dialects?: readonly DialectId[];
  readonly newestWords?: true;
  /** A last change to the body of a chat. */
  readonly finish?: (body: Buffer) => Buffer;
}

/** A provider of that configuration; what all of its kind share. Its key goes to its base URL and nowhere else. */
export function compileOpenAi(
  config: OpenAiConfig,
  { secrets }: PluginTools,
  { dialects = ["openai-chat"], newestWords, finish }: OpenAiBehaviour = {},
): CompiledProvider {
  const drop = new Set(config.streamUsage ? config.drop : [...config.drop, "stream_options"]);
  const rename = new Map(Object.entries(config.rename));
  const shape = (call: ProviderCall): Buffer => {
    const body = reshapeMembers(call.body, { drop, rename });
    return call.operation === "chat" && finish !== undefined ? finish(body) : body;
  };
  const extra = Object.fromEntries(Object.entries(config.headers).map(([name, value]) => [name.toLowerCase(), value]));
  const header = config.header.toLowerCase();
  const secret = config.apiKey && secretName(config.apiKey);
  const keyless = headersOf(extra);
  let known = { key: "", headers: keyless }; // made anew only when the secret has changed
  const prefix = config.scheme === "" ? "" : `${config.scheme} `;
  const withKey = (key: string): CallHeaders => {
    if (key !== known.key) known = { key, headers: headersOf({ ...extra, [header]: `${prefix}${key}` }) };
    return known.headers;
  };
  return {
    baseUrl: config.baseUrl.replace(/\/+$/, ""),
    dialects,
    ...(newestWords === undefined ? {} : { newestWords }),
    streamUsage: config.streamUsage,
    usage: openAiUsage,
    passThrough({ method, path }) {
      const asked = ({ bare }: CallHeaders): ProviderRequest => ({ method, path, headers: bare, body: undefined });
      if (secret === undefined) return asked(keyless);
      return withValue(readKey(secrets, secret), (key) => asked(withKey(key)));
    },
    request(call) {
      if (secret === undefined) return build(call, shape, keyless);
      return withValue(readKey(secrets, secret), (key) => build(call, shape, withKey(key)));
    },
  };
}

function pathOf({ operation, dialect }: ProviderCall): string {
  if (operation !== "chat") return `/${operation}`;
  return dialect === "openai-responses" ? "/responses" : "/chat/completions";
}

// Read at each request, so that a secret that was changed is used at once.
function readKey(secrets: SecretReader, name: string): string | Promise<string> {
  const value = secrets.read(name);
  return value instanceof Promise ? value.then((key) => headerValue(key, name)) : headerValue(value, name);
}

interface CallHeaders {
  /** Of what passes as it is: the client says what it sends and takes. */
  readonly bare: Readonly<Record<string, string>>;
  readonly models: Readonly<Record<string, string>>;
  readonly whole: Readonly<Record<string, string>>;
  readonly streamed: Readonly<Record<string, string>>;
}

// What comes back is passed on and read as it is, hence no encoding.
function headersOf(common: Readonly<Record<string, string>>): CallHeaders {
  const json = { ...common, "accept-encoding": "identity", "content-type": "application/json" };
  return {
    bare: { ...common, "accept-encoding": "identity" },
    models: { ...common, "accept-encoding": "identity", accept: "application/json" },
    whole: { ...json, accept: "application/json" },
    streamed: { ...json, accept: "text/event-stream" },
  };
}

function build(
  call: ProviderCall,
  shape: (call: ProviderCall) => Buffer,
  { models, whole, streamed }: CallHeaders,
): ProviderRequest {
  const { operation, stream } = call;
  const path = pathOf(call);
  if (operation === "models") return { method: "GET", path, headers: models, body: undefined };
  return { method: "POST", path, headers: stream ? streamed : whole, body: shape(call) };
}
