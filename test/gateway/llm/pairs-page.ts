import type { InboundDialectId } from "../../../src/routing/dialects/index.ts";
import type { LlmFeature } from "../../kit/llm-features.ts";
import type { UpstreamId } from "../../kit/llm-replay.ts";

const clients: Readonly<Record<InboundDialectId, string>> = {
  "openai-chat": "OpenAI's chat completions",
  "openai-responses": "OpenAI's Responses",
  "anthropic-messages": "Anthropic's Messages",
};

const titles: Readonly<Record<UpstreamId, string>> = {
  openai: "OpenAI",
  "azure-openai": "Azure",
  anthropic: "Anthropic",
  gemini: "Gemini",
  vertex: "Vertex",
  "vertex-claude": "Vertex, Claude",
  bedrock: "Bedrock",
  mistral: "Mistral",
  ollama: "Ollama",
};

/** `docs/reference/llm-pairs.md`: a table for each dialect of clients, a row a feature, a column a provider. */
export function pairsPage(
  features: readonly LlmFeature[],
  inbounds: readonly InboundDialectId[],
  upstreams: readonly UpstreamId[],
  found: ReadonlyMap<string, string>,
): string {
  const tables = inbounds.map((inbound) => {
    const rows = features
      .filter((feature) => feature[inbound] !== undefined)
      .map(({ title }) =>
        row(
          title,
          upstreams.map((upstream) => cell(found.get(`${inbound}/${upstream}/${title}`))),
        ),
      );
    const head = [
      row(
        "",
        upstreams.map((upstream) => titles[upstream]),
      ),
      row(
        "---",
        upstreams.map(() => "---"),
      ),
    ];
    return `## Clients of ${clients[inbound]}\n\n${[...head, ...rows].join("\n")}\n`;
  });
  return `${intro}\n${tables.join("\n")}`;
}

function row(first: string, cells: readonly string[]): string {
  return `| ${[first, ...cells].join(" | ")} |`;
}

function cell(seen: string | undefined): string {
  if (seen === "as is") return "=";
  if (seen === "carried") return "✓";
  return seen === undefined ? "?" : `400 \`${seen}\``;
}

const intro = `# What is carried from which client to which provider

Written by \`test/gateway/llm/pairs.test.ts\` of what it has seen, whole and streamed, through the running gateway; do not
edit it. \`vitest run -u\` on that file writes it anew.

| Sign | |
|---|---|
| = | Client and provider speak one dialect: what is asked and answered passes byte for byte. Whether a model can do it is the provider's to say. |
| ✓ | Translated both ways. |
| 400 \`member\` | Refused before anything is sent, with the client's own name of what the provider has no word for. |
`;
