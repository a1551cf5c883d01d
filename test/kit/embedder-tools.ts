import type { EmbedderTools } from "../../src/embedding/define-embedder.ts";
import type { SafeFetch, SafeFetchOptions, SafeResponse } from "../../src/kernel/safe-fetch.ts";
import type { ManualClock } from "./manual-clock.ts";
import { manualClock } from "./manual-clock.ts";

/** What one call sent. */
export interface SentCall extends SafeFetchOptions {
  readonly url: string;
  readonly input: readonly string[];
}

export interface FakeEmbeddings {
  readonly tools: EmbedderTools & { readonly clock: ManualClock };
  readonly calls: readonly SentCall[];
  /** Texts sent so far, over all calls. */
  readonly texts: readonly string[];
}

/** An answer of status 200 in OpenAI's form. */
export function vectorsAnswer(vectors: readonly unknown[]): FakeAnswer {
  return {
    body: { object: "list", data: vectors.map((embedding, index) => ({ object: "embedding", index, embedding })) },
  };
}

export interface FakeAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Three numbers that depend on the text, so that a test can tell whose vector it has. */
export function fakeVector(text: string): readonly number[] {
  return [text.length + 1, text.charCodeAt(0) || 1, 2];
}

/** An embeddings API behind a fake way out; `answer` decides per call, by default a vector for each text. */
export function fakeEmbeddings(
  answer: (call: SentCall, count: number) => FakeAnswer | Promise<FakeAnswer> = ({ input }) =>
    vectorsAnswer(input.map(fakeVector)),
  secrets: Readonly<Record<string, string>> = { "openai-key": "sk-one" },
): FakeEmbeddings {
  const calls: SentCall[] = [];
  const fetch = async (url: string | URL, options: SafeFetchOptions): Promise<SafeResponse> => {
    const { input } = JSON.parse(String(options.body)) as { input: string[] }; // written by the embedder
    const call = { ...options, url: String(url), input };
    calls.push(call);
    const { status = 200, headers = {}, body = {} } = await answer(call, calls.length);
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const bytes = Buffer.from(text);
    const all = { "content-type": "application/json", ...headers };
    return {
      url: call.url,
      status,
      headers: all,
      body: bytes,
      text: () => text,
      json: () => JSON.parse(text) as unknown,
    };
  };
  const silent = (): void => undefined;
  const clock = manualClock();
  const way: SafeFetch = Object.assign(fetch, { [Symbol.asyncDispose]: async () => undefined });
  return {
    tools: {
      clock,
      log: { debug: silent, info: silent, warn: silent, error: silent },
      fetch: way,
      secrets: { read: (name) => secrets[name] ?? Promise.reject(new Error(`no secret ${name}`)) },
    },
    calls,
    get texts() {
      return calls.flatMap(({ input }) => input);
    },
  };
}
