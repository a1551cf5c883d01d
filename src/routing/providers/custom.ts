import { z } from "zod";
import { GatewayError } from "../../kernel/errors.ts";
import { compileSingularPath } from "../../kernel/singular-path.ts";
import type { CompiledProvider, DialectId, ProviderCall, ProviderRequest } from "../../pipeline/define-provider.ts";
import { defineProvider } from "../../pipeline/define-provider.ts";
import type { Usage } from "../../pipeline/exchange.ts";
import { upstreamDialects } from "../dialects/index.ts";
import { compileOpenAi } from "./compile-openai.ts";
import { baseUrlSchema, headerName, openAiConfig } from "./openai-config.ts";
import { reshapeMembers } from "./reshape-members.ts";

const path = z
  .string()
  .max(500)
  .regex(/^\/[\w\-.~!$&'()*+,;=:@%/?{}]*$/, "a path such as /v2/models/{model}:generate")
  .refine((text) => !/[{}]/.test(text.replaceAll("{model}", "")), "the only name in braces is {model}");

const tokenPath = z
  .string()
  .max(512)
  .refine((text) => isSingular(text), "a path to one place, such as $.usage.prompt_tokens");

const config = openAiConfig(baseUrlSchema).extend({
  shape: z.enum(["openai", "anthropic", "gemini"]).default("openai").meta({
    title: "Shape",
    description: "Whose request and answer bodies it takes and gives.",
  }),
  paths: z
    .strictObject({
      chat: path.optional().meta({ title: "Chat", description: "Absent: that of the shape." }),
      stream: path.optional().meta({ title: "Streamed chat", description: "Absent: that of a chat." }),
      embeddings: path.optional().meta({ title: "Embeddings", description: "Absent: there are none." }),
      models: path.optional().meta({ title: "Models", description: "Absent: there is no list." }),
      countTokens: path.optional().meta({ title: "Counting tokens", description: "Of the Anthropic shape only." }),
    })
    .prefault({})
    .meta({ title: "Paths", description: "Below the base URL; `{model}` stands for the model's name." }),
  model: z
    .string()
    .regex(/^\$\.[A-Za-z_][\w-]{0,63}$/, "a member at the top, such as $.model_id")
    .nullable()
    .default("$.model")
    .meta({ title: "Model", description: "Where the request's body names the model; null where only a path does." }),
  tokens: z
    .strictObject({
      prompt: tokenPath.optional().meta({ title: "Prompt", description: "Tokens read." }),
      completion: tokenPath.optional().meta({ title: "Completion", description: "Tokens of the answer." }),
      total: tokenPath.optional().meta({ title: "Total", description: "Used for whichever of the two is not told." }),
      cached: tokenPath.optional().meta({ title: "Cached", description: "Tokens of the prompt from a cache." }),
    })
    .optional()
    .meta({ title: "Tokens", description: "Where answers tell their usage. Absent: where the shape has it." }),
  remainingTokensHeader: headerName.optional().meta({
    title: "Remaining tokens",
    description: "The header that tells how many tokens are left; at 0 or less the target is left alone for a while.",
  }),
  maxOutputTokens: z.int().min(1).max(1_000_000).default(8_192).meta({
    title: "Answer",
    description: "Tokens that an answer may have where the shape needs a bound and the client gives none.",
  }),
});

type CustomConfig = z.output<typeof config>;

/** A provider that no other row describes: its addresses, its key and where it tells its usage stand in the resource. */
export const custom = defineProvider({
  id: "custom",
  title: "Custom",
  summary: "Any server with bodies like OpenAI's, Anthropic's or Gemini's, described by its paths.",
  config,
  examples: [
    {
      baseUrl: "https://llm.example.com",
      apiKey: "${secret:llm-key}",
      header: "x-api-key",
      scheme: "",
      paths: { chat: "/v2/models/{model}/chat" },
      model: null,
      tokens: { prompt: "$.meta.tokens.input", completion: "$.meta.tokens.output" },
      remainingTokensHeader: "x-tokens-left",
    },
    { baseUrl: "https://claude.example.com/v1", shape: "anthropic", apiKey: "${secret:llm-key}", header: "x-api-key" },
  ],
  compile(given, tools) {
    const { shape, paths, tokens, remainingTokensHeader, maxOutputTokens } = given;
    // Where else than at its own paths it would take calls, nobody has described.
    const { passThrough: _, ...base } = compileOpenAi(given, tools, { dialects: [dialects[shape]] });
    const usage = tokens === undefined ? undefined : readUsage(tokens);
    return {
      ...base,
      streamUsage: shape === "openai" && usage === undefined && given.streamUsage,
      usage: usage ?? (shape === "openai" ? base.usage : upstreamDialects[dialects[shape]].usage),
      ...(usage === undefined ? {} : { tellsUsageElsewhere: true as const }),
      ...(paths.models === undefined ? { listsModels: false as const } : {}),
      ...(remainingTokensHeader === undefined ? {} : { remainingTokensHeader: remainingTokensHeader.toLowerCase() }),
      ...(shape === "openai" ? {} : { maxOutputTokens }),
      request(call) {
        const path = pathOf(call, given);
        const asked = base.request({ ...call, body: bodyOf(call, given) });
        return asked instanceof Promise ? asked.then((request) => placed(request, path)) : placed(asked, path);
      },
    } satisfies CompiledProvider;
  },
});

const dialects = {
  openai: "openai-chat",
  anthropic: "anthropic-messages",
  gemini: "gemini",
} as const satisfies Record<CustomConfig["shape"], DialectId>;

const chatPaths = {
  openai: { chat: "/chat/completions", stream: undefined },
  anthropic: { chat: "/messages", stream: undefined },
  gemini: { chat: "/models/{model}:generateContent", stream: "/models/{model}:streamGenerateContent?alt=sse" },
} as const;

function pathOf({ operation, model, stream }: ProviderCall, { shape, paths }: CustomConfig): string {
  const usual = chatPaths[shape];
  const chat = paths.chat ?? usual.chat;
  const streamed = paths.stream ?? (paths.chat === undefined ? usual.stream : undefined) ?? chat;
  const told = {
    chat: stream ? streamed : chat,
    embeddings: paths.embeddings,
    models: paths.models,
    "count-tokens": paths.countTokens,
  }[operation];
  if (told === undefined) throw new GatewayError("request.not_offered", `This provider has no ${operation}.`);
  return told.replaceAll("{model}", encodeURIComponent(model));
}

function placed(request: ProviderRequest, path: string): ProviderRequest {
  return { ...request, path };
}

/** Gemini's body never names the model; the others' do where the resource says. */
function bodyOf({ operation, body }: ProviderCall, { shape, model }: CustomConfig): Buffer {
  if (operation === "models" || shape === "gemini" || model === "$.model") return body;
  if (model === null) return reshapeMembers(body, { drop: new Set(["model"]) });
  return reshapeMembers(body, { rename: new Map([["model", model.slice(2)]]) });
}

function readUsage(paths: NonNullable<CustomConfig["tokens"]>): (message: unknown) => Usage | undefined {
  const [prompt, completion, total, cached] = [paths.prompt, paths.completion, paths.total, paths.cached].map((each) =>
    each === undefined ? undefined : compileSingularPath(each),
  );
  const count = (read: typeof prompt, message: unknown): number | undefined => {
    const found = read?.(message);
    return typeof found === "number" && Number.isSafeInteger(found) && found >= 0 ? found : undefined;
  };
  return (message) => {
    const [input, output, sum] = [count(prompt, message), count(completion, message), count(total, message)];
    if (input === undefined && output === undefined && sum === undefined) return undefined;
    return {
      inputTokens: input ?? Math.max((sum ?? 0) - (output ?? 0), 0),
      outputTokens: output ?? (input === undefined ? 0 : Math.max((sum ?? input) - input, 0)),
      cachedInputTokens: count(cached, message) ?? 0,
      reasoningTokens: 0,
      source: "actual",
    };
  };
}

function isSingular(text: string): boolean {
  try {
    compileSingularPath(text);
    return true;
  } catch {
    return false;
  }
}
