import { z } from "zod";
import { httpUrlSchema, secretName, secretReferenceSchema } from "../core/api-spec.ts";
import { headerValue } from "../kernel/header-value.ts";
import { defineGuardrail } from "../pipeline/define-guardrail.ts";
import { forEachAtOnce, readAnswer } from "./remote/read-answer.ts";
import { isVerdict, remoteMembers, textsToSend } from "./remote/remote-members.ts";
import { createRemoteService } from "./remote/remote-service.ts";
import { splitText } from "./remote/split-text.ts";

const who = "Azure AI Content Safety";

const threshold = (title: string) =>
  z.int().min(1).max(7).optional().meta({
    title,
    description: "The least severity that is refused, from 1 (nearly anything) to 7; not asked for when absent.",
  });

const members = z.strictObject({
  endpoint: httpUrlSchema.meta({
    title: "Endpoint",
    description: "The resource's own, such as https://name.cognitiveservices.azure.com.",
  }),
  apiKey: secretReferenceSchema.meta({ title: "API key", description: "The secret that holds it." }),
  hate: threshold("Hate"),
  sexual: threshold("Sexual"),
  selfHarm: threshold("Self-harm"),
  violence: threshold("Violence"),
  blocklists: z.array(z.string().min(1).max(64)).max(10).default([]).meta({
    title: "Blocklists",
    description: "Names of the resource's blocklists; a match of any is refused.",
  }),
  ...remoteMembers,
});

const config = members.refine(
  ({ hate, sexual, selfHarm, violence, blocklists }) =>
    [hate, sexual, selfHarm, violence].some((each) => each !== undefined) || blocklists.length > 0,
  "give the threshold of a category, or a blocklist",
);

/** Categories as Azure calls them, and their members here. */
const categories = { Hate: "hate", Sexual: "sexual", SelfHarm: "selfHarm", Violence: "violence" } as const;
type Category = keyof typeof categories;
const names = Object.keys(categories) as readonly Category[]; // of the literal above

const answerSchema = z.looseObject({
  categoriesAnalysis: z.array(z.looseObject({ category: z.string(), severity: z.number() })),
  blocklistsMatch: z.array(z.looseObject({ blocklistName: z.string() })).default([]),
});

/** Azure takes this many characters at once. */
const mostCharacters = 10_000;
const overlap = 200;

/**
 * Severities by Azure AI Content Safety; of a long text each piece is judged, and the worst counts.
 * @see https://learn.microsoft.com/rest/api/contentsafety/text-operations/analyze-text
 */
export const azureContentSafety = defineGuardrail({
  id: "azure-content-safety",
  title: "Azure AI Content Safety",
  summary: "Refuses hate, sexual content, self-harm and violence, as Azure judges them.",
  config,
  examples: [
    {
      endpoint: "https://contoso.cognitiveservices.azure.com",
      apiKey: "${secret:content-safety-key}",
      hate: 4,
      violence: 4,
    },
  ],
  onError: "deny",
  asksOnError: true,
  compile(options, tools) {
    const { endpoint, apiKey, blocklists, phases, window, timeoutMs, maxCharacters } = options;
    const service = createRemoteService(who, timeoutMs, tools);
    const url = `${endpoint.replace(/\/+$/, "")}/contentsafety/text:analyze?api-version=2024-09-01`;
    const asked = names.filter((name) => options[categories[name]] !== undefined);
    const analyze = async (text: string, signal: AbortSignal): Promise<z.output<typeof answerSchema>> => {
      const name = secretName(apiKey);
      const key = headerValue(await tools.secrets.read(name), name);
      const body = JSON.stringify({
        text,
        categories: asked.length > 0 ? asked : names,
        outputType: "EightSeverityLevels",
        ...(blocklists.length > 0 && { blocklistNames: blocklists, haltOnBlocklistHit: true }),
      });
      const answer = await service.post(url, body, { "ocp-apim-subscription-key": key }, signal);
      return readAnswer(answerSchema, answer, who);
    };
    return {
      phases,
      window,
      async inspect(spans, phase, call) {
        const sent = textsToSend(spans, phase, maxCharacters);
        if (isVerdict(sent)) return sent;
        const pieces = sent.flatMap(({ text }) => splitText(text, mostCharacters, overlap));
        const answers = await forEachAtOnce(pieces, 4, (piece) => analyze(piece, call.signal));
        const found = asked.map((category) => {
          const severity = Math.max(0, ...answers.flatMap((answer) => severitiesOf(answer, category)));
          const limit = options[categories[category]] ?? Number.POSITIVE_INFINITY;
          return { category, severity, threshold: limit, result: severity >= limit ? "FAIL" : "PASS" };
        });
        const listed = answers.some(({ blocklistsMatch }) => blocklistsMatch.length > 0);
        const failed = found.filter(({ result }) => result === "FAIL").map(({ category }) => category);
        if (failed.length === 0 && !listed) return { type: "pass" };
        const detail = [...failed, ...(listed ? ["blocklist"] : [])].join(", ");
        const assessment = { categories: found, blocklist: listed };
        return { type: "deny", reason: `The ${phase} is not permitted by the content policy.`, detail, assessment };
      },
    };
  },
});

function severitiesOf({ categoriesAnalysis }: z.output<typeof answerSchema>, name: Category): readonly number[] {
  return categoriesAnalysis.filter(({ category }) => category === name).map(({ severity }) => severity);
}
