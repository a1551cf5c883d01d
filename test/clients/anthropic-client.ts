import { clientFile } from "./install-clients.ts";

/** What the tests read of a message. */
export interface AnthropicMessage {
  readonly content: readonly (Readonly<Record<string, unknown>> & { readonly type: string })[];
  readonly stop_reason: string | null;
  readonly usage: { readonly input_tokens: number; readonly output_tokens: number };
}

/** What the tests use of Anthropic's SDK, which is installed only when they run. */
export interface AnthropicClient {
  readonly messages: {
    create(body: object): Promise<AnthropicMessage>;
    stream(body: object): { finalMessage(): Promise<AnthropicMessage> };
    countTokens(body: object): Promise<{ readonly input_tokens: number }>;
  };
  readonly models: { list(): Promise<{ readonly data: readonly { readonly id: string }[] }> };
}

interface AnthropicSdk {
  readonly default: new (options: {
    readonly apiKey: string;
    readonly baseURL: string;
    readonly maxRetries: number;
  }) => AnthropicClient;
}

/** An unmodified client of Anthropic's that repeats nothing by itself. */
export async function anthropicClient(url: string, key: string): Promise<AnthropicClient> {
  // The package's types are not there where it is not installed; this is the part of them that is used.
  const sdk = (await import(clientFile("@anthropic-ai/sdk/index.mjs"))) as AnthropicSdk;
  return new sdk.default({ apiKey: key, baseURL: url.replace(/\/v1$/, ""), maxRetries: 0 });
}
