import { z } from "zod";
import { httpUrlSchema, secretName, secretReferenceSchema } from "../core/api-spec.ts";
import { openAiClient, translateOpenAiError } from "../embedding/openai-client.ts";
import { GatewayError } from "../kernel/errors.ts";
import { defineGuardrail } from "../pipeline/define-guardrail.ts";
import { forEachAtOnce, readAnswer } from "./remote/read-answer.ts";
import { isVerdict, remoteMembers, textsToSend } from "./remote/remote-members.ts";
import { createRemoteService } from "./remote/remote-service.ts";
import { splitText } from "./remote/split-text.ts";

const who = "OpenAI moderation";

const config = z.strictObject({
  apiKey: secretReferenceSchema.meta({ title: "API key", description: "The secret that holds it." }),
  baseUrl: httpUrlSchema.default("https://api.openai.com/v1").meta({
    title: "Base URL",
    description: "What stands before `/moderations`; the key goes to this host only.",
  }),
  model: z.string().min(1).max(128).default("omni-moderation-latest").meta({
    title: "Model",
    description: "The model that moderates.",
  }),
  thresholds: z.record(z.string().min(1).max(64), z.number().min(0).max(1)).optional().meta({
    title: "Thresholds",
    description:
      "The least score that is refused, from 0 to 1, by category, such as `harassment/threatening`; other categories count for nothing. What OpenAI flags is refused when absent.",
  }),
  ...remoteMembers,
});

const answerSchema = z.looseObject({
  results: z.array(
    z.looseObject({
      flagged: z.boolean(),
      categories: z.record(z.string(), z.boolean().nullable()),
      category_scores: z.record(z.string(), z.number().nullable()),
    }),
  ),
});

type Results = z.output<typeof answerSchema>["results"];

/** What goes into one call. */
const mostTexts = 32;
const mostCharacters = 16_000;

/**
 * Refuses what OpenAI's moderation flags, or what reaches thresholds of one's own.
 * @see https://platform.openai.com/docs/api-reference/moderations
 */
export const openaiModeration = defineGuardrail({
  id: "openai-moderation",
  title: "OpenAI moderation",
  summary: "Refuses what OpenAI's moderation flags.",
  config,
  examples: [
    { apiKey: "${secret:openai-key}" },
    { apiKey: "${secret:openai-key}", thresholds: { violence: 0.5, "self-harm": 0.2 }, phases: ["request"] },
  ],
  onError: "deny",
  asksOnError: true,
  compile({ apiKey, baseUrl, model, thresholds, phases, window, timeoutMs, maxCharacters }, tools) {
    const service = createRemoteService(who, timeoutMs, tools);
    const key = { secret: secretName(apiKey), header: "authorization", prefix: "Bearer " };
    const address = { baseUrl, key, chosenBy: "operator" as const, timeoutMs, maxAnswerBytes: 1_048_576 };
    const client = openAiClient(address, tools);
    const create = async (input: string[], signal: AbortSignal): Promise<unknown> => {
      const { moderations } = await client();
      try {
        return await moderations.create({ model, input }, { signal });
      } catch (error) {
        throw signal.aborted
          ? new GatewayError("client.closed", "The call was abandoned.", { cause: error })
          : translateOpenAiError(error, baseUrl, who);
      }
    };
    const ask = async (texts: readonly string[], signal: AbortSignal): Promise<Results> => {
      const { results } = readAnswer(answerSchema, await service.call(() => create([...texts], signal)), who);
      if (results.length === texts.length) return results;
      throw new GatewayError("upstream.invalid", `${who}'s answer cannot be read.`, {
        detail: `${results.length} results for ${texts.length} texts`,
      });
    };
    return {
      phases,
      window,
      async inspect(spans, phase, call) {
        const sent = textsToSend(spans, phase, maxCharacters);
        if (isVerdict(sent)) return sent;
        const pieces = sent.flatMap(({ text }) => splitText(text, mostCharacters, 200));
        const batches = Array.from({ length: Math.ceil(pieces.length / mostTexts) }, (_, index) =>
          pieces.slice(index * mostTexts, (index + 1) * mostTexts),
        );
        const results = (await forEachAtOnce(batches, 4, (texts) => ask(texts, call.signal))).flat();
        const scores = worstScores(results.map((result) => result.category_scores));
        const failed =
          thresholds === undefined
            ? results.flatMap(({ flagged, categories }) => (flagged ? flaggedOf(categories) : []))
            : Object.keys(thresholds).filter((name) => (scores[name] ?? 0) >= (thresholds[name] ?? 1));
        if (failed.length === 0) return { type: "pass" };
        const found = [...new Set(failed)].toSorted();
        const assessment = { categories: found, scores };
        const reason = `The ${phase} is not permitted by the content policy.`;
        return { type: "deny", reason, detail: found.join(", "), assessment };
      },
    };
  },
});

function flaggedOf(categories: Readonly<Record<string, boolean | null>>): readonly string[] {
  const names = Object.keys(categories).filter((name) => categories[name] === true);
  return names.length > 0 ? names : ["flagged"]; // flagged it is, whatever for
}

function worstScores(all: readonly Readonly<Record<string, number | null>>[]): Readonly<Record<string, number>> {
  const worst: Record<string, number> = {};
  for (const scores of all) {
    for (const [name, score] of Object.entries(scores)) worst[name] = Math.max(worst[name] ?? 0, score ?? 0);
  }
  return worst;
}
