import type { GuardrailPhase } from "../../src/pipeline/define-guardrail.ts";
import type { InboundDialectId } from "../../src/routing/dialects/index.ts";
import { petsDescription, publishTools } from "../gateway/mcp/openapi/openapi-kit.ts";
import type { PublishedServer } from "../gateway/mcp/published-server.ts";
import { messageOf, publishServer, serverAt, sse, sseMessages } from "../gateway/mcp/published-server.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import type { MockUpstream, Respond } from "../kit/mock-upstream.ts";
import { chatAnswer, chunk, done, events, json } from "../kit/mock-upstream.ts";
import type { RawAnswer } from "../kit/raw-http.ts";
import { rawHttp } from "../kit/raw-http.ts";

export type ApiKind = "LlmApi" | "McpServer" | "RestApi";

/** An API with policies, as callers reach it. */
export interface Door {
  readonly kind: ApiKind;
  readonly server: PublishedServer;
}

/** One way in which text goes through an API: an operation of a dialect, streamed or not. */
export interface DialectCell {
  readonly name: string;
  readonly kind: ApiKind;
  /** The route of the adapter, or the method of MCP, that it goes by. */
  readonly route: string;
  /** What LLM clients speak there. */
  readonly dialect?: InboundDialectId;
  /** Where a text of a caller's choice may stand. */
  readonly phases: readonly GuardrailPhase[];
  /** True where the gateway answers by itself. */
  readonly isLocal?: boolean;
  request(text: string): object;
  /** What the upstream answers, with the text in it. */
  answer(text: string): Respond;
  /** The text that the client reads. */
  read(body: string): string;
}

/** Opens an API of the kind at `/{name}` in front of the upstream. */
export async function openDoor(
  gatehouse: TestGatehouse,
  { url }: MockUpstream,
  kind: ApiKind,
  name: string,
  policies: readonly object[],
): Promise<Door> {
  if (kind === "LlmApi") {
    const api = await gatehouse.llm(name, `${url}/v1`, { policies: policies as never }); // the schema checks it
    return { kind, server: serverAt(api.url, api.key) };
  }
  if (kind === "McpServer") return { kind, server: await publishServer(gatehouse, name, `${url}/mcp`, { policies }) };
  const upstream = { production: { url }, sandbox: { sameAs: "production" } };
  await gatehouse.put("RestApi", name, { context: `/${name}`, definition: petsDescription(), upstream, policies });
  return { kind, server: await publishTools(gatehouse, `${name}-tools`, { api: name, select: ["*"] }) };
}

/** Sends a cell's request. */
export function send({ kind, server }: Door, { route, request }: DialectCell, text: string): Promise<RawAnswer> {
  if (kind !== "LlmApi") return server.post(request(text), { era: kind === "RestApi" ? "modern" : "legacy" });
  const headers = { "content-type": "application/json", authorization: `Bearer ${server.key}` };
  return rawHttp(`${server.url}${route.slice("/v1".length)}`, { headers, body: JSON.stringify(request(text)) });
}

const both = ["request", "response"] as const;
const turn = (text: string) => [{ role: "user", content: text }];

/** Letter by letter, so that no piece holds what is looked for. */
const spelled = (text: string): Respond =>
  events([...Array.from(text, (letter) => chunk({ content: letter })), chunk({}, { finish: "stop" }), done]);

interface Told {
  readonly choices?: readonly {
    readonly message?: { readonly content?: string };
    readonly delta?: { readonly content?: string };
  }[];
  readonly content?: readonly { readonly text?: string }[];
  readonly output?: readonly { readonly content?: readonly { readonly text?: string }[] }[];
  readonly type?: string;
  readonly delta?: string | { readonly text?: string };
}

const eventsOf = (body: string): readonly Told[] =>
  [...body.matchAll(/^data: (\{.+)$/gm)].map(([, data]) => JSON.parse(data ?? "") as Told); // in one of the three dialects
const whole = (body: string): Told => JSON.parse(body) as Told; // likewise

const llmParts: readonly (Omit<DialectCell, "kind" | "phases"> & Partial<Pick<DialectCell, "phases">>)[] = [
  {
    name: "a chat completion",
    route: "/v1/chat/completions",
    request: (text) => ({ model: "m", messages: turn(text) }),
    answer: chatAnswer,
    read: (body) => whole(body).choices?.[0]?.message?.content ?? "",
  },
  {
    name: "a streamed chat completion",
    route: "/v1/chat/completions",
    request: (text) => ({ model: "m", stream: true, messages: turn(text) }),
    answer: spelled,
    read: (body) =>
      eventsOf(body)
        .map(({ choices }) => choices?.[0]?.delta?.content ?? "")
        .join(""),
  },
  {
    name: "a response",
    route: "/v1/responses",
    request: (text) => ({ model: "m", input: text }),
    answer: chatAnswer,
    read: (body) => whole(body).output?.[0]?.content?.[0]?.text ?? "",
  },
  {
    name: "a streamed response",
    route: "/v1/responses",
    request: (text) => ({ model: "m", stream: true, input: text }),
    answer: spelled,
    read: (body) =>
      eventsOf(body)
        .map(({ type, delta }) => (type === "response.output_text.delta" && typeof delta === "string" ? delta : ""))
        .join(""),
  },
  {
    name: "a message",
    route: "/v1/messages",
    request: (text) => ({ model: "m", max_tokens: 99, messages: turn(text) }),
    answer: chatAnswer,
    read: (body) => whole(body).content?.[0]?.text ?? "",
  },
  {
    name: "a streamed message",
    route: "/v1/messages",
    request: (text) => ({ model: "m", max_tokens: 99, stream: true, messages: turn(text) }),
    answer: spelled,
    read: (body) =>
      eventsOf(body)
        .map(({ delta }) => (typeof delta === "object" ? (delta.text ?? "") : ""))
        .join(""),
  },
  {
    name: "embeddings",
    route: "/v1/embeddings",
    phases: ["request"], // an answer of numbers holds no text
    request: (text) => ({ model: "m", input: [text] }),
    answer: () => json(200, { object: "list", data: [{ object: "embedding", index: 0, embedding: [0.5] }] }),
    read: () => "",
  },
  {
    name: "a count of tokens",
    route: "/v1/messages/count_tokens",
    phases: ["request"],
    isLocal: true,
    request: (text) => ({ model: "m", messages: turn(text) }),
    answer: () => json(200, { input_tokens: 5 }),
    read: () => "",
  },
];

const dialects: Readonly<Record<string, InboundDialectId>> = {
  "/v1/chat/completions": "openai-chat",
  "/v1/responses": "openai-responses",
  "/v1/messages": "anthropic-messages",
};

const llmCells: readonly DialectCell[] = llmParts.map((cell) => {
  const dialect = dialects[cell.route];
  return { phases: both, ...cell, kind: "LlmApi", ...(dialect && { dialect }) };
});

interface McpMethod {
  readonly method: string;
  readonly phases: readonly GuardrailPhase[];
  params(text: string): object;
  result(text: string): object;
}

const mcpMethods: readonly McpMethod[] = [
  {
    method: "tools/call",
    phases: both,
    params: (text) => ({ name: "echo", arguments: { text } }),
    result: (text) => ({ content: [{ type: "text", text }] }),
  },
  {
    method: "tools/list",
    phases: ["response"],
    params: () => ({}),
    result: (description) => ({ tools: [{ name: "echo", description, inputSchema: { type: "object" } }] }),
  },
  {
    method: "prompts/get",
    phases: both,
    params: (text) => ({ name: "ask", arguments: { text } }),
    result: (text) => ({ messages: [{ role: "user", content: { type: "text", text } }] }),
  },
  {
    method: "resources/read",
    phases: ["response"],
    params: () => ({ uri: "file:///a" }),
    result: (text) => ({ contents: [{ uri: "file:///a", mimeType: "text/plain", text }] }),
  },
];

const textIn = (value: unknown): string => {
  const found = /"(?:text|description)":("(?:[^"\\]|\\.)*")/.exec(JSON.stringify(value))?.[1];
  return found === undefined ? "" : String(JSON.parse(found));
};

const mcpCells = mcpMethods.flatMap(({ method, phases, params, result }): readonly DialectCell[] => {
  const cell = {
    kind: "McpServer" as const,
    route: method,
    phases,
    request: (text: string) => ({ jsonrpc: "2.0", id: 1, method, params: params(text) }),
  };
  const answered = (id: number | string, text: string) => ({ jsonrpc: "2.0", id, result: result(text) });
  return [
    {
      ...cell,
      name: method,
      answer: (text) => (request, response) => json(200, answered(messageOf(request).id, text))(request, response),
      read: (body) => textIn(JSON.parse(body)),
    },
    {
      ...cell,
      name: `${method} on a stream`,
      answer: (text) => (request, response) =>
        events([
          sse({ jsonrpc: "2.0", method: "notifications/progress", params: {} }),
          sse(answered(messageOf(request).id, text)),
        ])(request, response),
      read: (body) => textIn(sseMessages(body).at(-1)),
    },
  ];
});

const restCell: DialectCell = {
  name: "a call of a REST API",
  kind: "RestApi",
  route: "rest",
  phases: both,
  request: (text) => ({
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: {
      name: "addPet",
      arguments: { id: 1, name: text },
      _meta: {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
      },
    },
  }),
  answer: (text) => json(200, { id: 1, name: text }),
  read: (body) => {
    const { result } = JSON.parse(body) as { result?: { structuredContent?: { name?: string } } }; // a tool's result
    return result?.structuredContent?.name ?? "";
  },
};

/** Routes that carry no text to be judged. */
export const textless: readonly string[] = [
  "/v1/responses/:id",
  "/v1/responses/:id/cancel",
  "/v1/responses/:id/input_items",
  "/v1/models",
  "/v1/models/:model{.+}",
];

/** All ways in which text goes through the gateway. */
export const dialectCells: readonly DialectCell[] = [...llmCells, ...mcpCells, restCell];
