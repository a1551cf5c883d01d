import type { TargetPeer } from "../../pipeline/target-peer.ts";

/** What the conventions call a provider by another word than our plug-in. */
const otherNames: ReadonlyMap<string, string> = new Map([
  ["azure-openai", "azure.ai.openai"],
  ["bedrock", "aws.bedrock"],
  ["gemini", "gcp.gemini"],
  ["mistral", "mistral_ai"],
  ["moonshot", "moonshot_ai"],
  ["vertex", "gcp.vertex_ai"],
  ["xai", "x_ai"],
]);

/**
 * The value of `gen_ai.provider.name`: the word of the conventions where they have one, else the plug-in's id; null where
 * no provider of models is asked.
 * @see https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/registry/attributes/gen-ai.md
 */
export function genAiProviderName(peer: TargetPeer | undefined): string | null {
  const { plugin } = peer ?? {};
  return plugin === undefined ? null : (otherNames.get(plugin) ?? plugin);
}
