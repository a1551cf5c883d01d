import { z } from "zod";
import { httpUrlSchema, secretName, secretReferenceSchema } from "../core/api-spec.ts";
import { headerValue } from "../kernel/header-value.ts";
import { signAwsRequest } from "../kernel/sign-aws-request.ts";
import type { GuardrailPhase, Verdict } from "../pipeline/define-guardrail.ts";
import { defineGuardrail } from "../pipeline/define-guardrail.ts";
import type { PluginTools } from "../pipeline/plugin.ts";
import { editTo, forEachAtOnce, readAnswer } from "./remote/read-answer.ts";
import type { SentText } from "./remote/remote-members.ts";
import { isVerdict, remoteMembers, textsToSend } from "./remote/remote-members.ts";
import { createRemoteService } from "./remote/remote-service.ts";

const who = "AWS Bedrock Guardrails";

const config = z.strictObject({
  region: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, "a region such as eu-central-1")
    .meta({ title: "Region", description: "Where the guardrail is." }),
  guardrailId: z
    .string()
    .regex(/^[a-z0-9]{1,64}$|^arn:[\w:/-]{1,2000}$/, "an id or an ARN")
    .meta({ title: "Guardrail", description: "Its id or ARN." }),
  guardrailVersion: z
    .string()
    .regex(/^(?:[1-9]\d{0,7}|DRAFT)$/, "a number or DRAFT")
    .meta({ title: "Version", description: "Of the guardrail." }),
  endpoint: httpUrlSchema.optional().meta({
    title: "Endpoint",
    description: "Another one than the region's own, such as that of a VPC.",
  }),
  accessKeyId: z
    .string()
    .regex(/^[A-Z0-9]{8,128}$/, "capital letters and digits")
    .meta({ title: "Access key id", description: "The name of the key; it is no secret." }),
  secretAccessKey: secretReferenceSchema.meta({ title: "Secret access key", description: "The secret that holds it." }),
  sessionToken: secretReferenceSchema.optional().meta({
    title: "Session token",
    description: "The secret that holds it, for keys that are lent for a time.",
  }),
  ...remoteMembers,
  maxCharacters: remoteMembers.maxCharacters.default(25_000),
});

const answerSchema = z.looseObject({
  action: z.enum(["NONE", "GUARDRAIL_INTERVENED"]),
  outputs: z.array(z.looseObject({ text: z.string().optional() })).default([]),
  assessments: z.array(z.unknown()).default([]),
});
type BedrockAnswer = z.output<typeof answerSchema>;

/**
 * Judges by a guardrail of AWS Bedrock (ApplyGuardrail). What it blocks is refused; where it only hides personal data, its
 * texts take the place of the caller's.
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ApplyGuardrail.html
 */
export const bedrockGuardrail = defineGuardrail({
  id: "bedrock-guardrail",
  title: "AWS Bedrock Guardrails",
  summary: "Refuses or masks what a guardrail of AWS Bedrock says.",
  config,
  examples: [
    {
      region: "eu-central-1",
      guardrailId: "gr1a2b3c4d5e",
      guardrailVersion: "1",
      accessKeyId: "AKIAIOSFODNN7EXAMPLE",
      secretAccessKey: "${secret:aws-key}",
    },
  ],
  onError: "deny",
  asksOnError: true,
  compile(options, tools) {
    const { phases, window, maxCharacters } = options;
    const apply = compileApply(options, tools);
    return {
      phases,
      window,
      async inspect(spans, phase, { signal }) {
        const sent = textsToSend(spans, phase, maxCharacters);
        if (isVerdict(sent)) return sent;
        const all = await apply(sent, phase, signal);
        const found = findingsIn(all.assessments);
        if (all.action === "NONE") return { type: "pass" };
        if (found.masked.length === 0 || found.blocked.length > 0) return refusal(phase, found);
        // Of several texts the answer does not say which became which: each is asked for by itself.
        const each = sent.length === 1 ? [all] : await forEachAtOnce(sent, 4, (one) => apply([one], phase, signal));
        const edits = sent.flatMap(({ span, text }, index) => editTo(span, text, maskedText(each[index], text)));
        const assessment = { masked: found.masked };
        return { type: "rewrite", edits, detail: `masked ${found.masked.join(", ")}`, assessment };
      },
    };
  },
});

type Apply = (texts: readonly SentText[], phase: GuardrailPhase, signal: AbortSignal) => Promise<BedrockAnswer>;

function compileApply(options: z.output<typeof config>, tools: PluginTools): Apply {
  const { region, guardrailId, guardrailVersion, endpoint, accessKeyId, secretAccessKey, sessionToken } = options;
  const service = createRemoteService(who, options.timeoutMs, tools);
  const base = new URL((endpoint ?? `https://bedrock-runtime.${region}.amazonaws.com`).replace(/\/+$/, ""));
  const place = `/guardrail/${encodeURIComponent(guardrailId)}/version/${guardrailVersion}/apply`;
  const path = base.pathname.replace(/\/$/, "") + place;
  const read = async (reference: string): Promise<string> => {
    const name = secretName(reference);
    return headerValue(await tools.secrets.read(name), name);
  };
  return async (texts, phase, signal) => {
    const content = texts.map(({ text }) => ({ text: { text } }));
    const body = JSON.stringify({ source: phase === "request" ? "INPUT" : "OUTPUT", content });
    const headers = { "content-type": "application/json" };
    const signed = signAwsRequest(
      { method: "POST", host: base.host, path, headers, body: Buffer.from(body) },
      {
        accessKeyId,
        secretAccessKey: await read(secretAccessKey),
        sessionToken: sessionToken === undefined ? undefined : await read(sessionToken),
      },
      { region, service: "bedrock", nowMs: tools.clock.now() },
    );
    const answer = await service.post(`${base.origin}${path}`, body, { ...headers, ...signed }, signal);
    return readAnswer(answerSchema, answer, who);
  };
}

interface Findings {
  /** Kinds of what was refused, and of what was hidden. */
  readonly blocked: readonly string[];
  readonly masked: readonly string[];
}

/** What of all policies has acted, by its type or name; what it matched stays unread. */
function findingsIn(assessments: readonly unknown[]): Findings {
  const found = { BLOCKED: new Set<string>(), ANONYMIZED: new Set<string>() };
  const collect = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    if ("action" in value && (value.action === "BLOCKED" || value.action === "ANONYMIZED")) {
      const name = "type" in value ? value.type : "name" in value ? value.name : undefined;
      found[value.action].add(typeof name === "string" ? name : "word");
    }
    for (const member of Object.values(value)) collect(member);
  };
  collect(assessments);
  return { blocked: [...found.BLOCKED].toSorted(), masked: [...found.ANONYMIZED].toSorted() };
}

/** Of a text that needed none of it, the text. */
function maskedText(answer: BedrockAnswer | undefined, text: string): string {
  return answer?.action === "GUARDRAIL_INTERVENED" ? (answer.outputs[0]?.text ?? "") : text;
}

function refusal(phase: GuardrailPhase, { blocked }: Findings): Verdict {
  const assessment = { blocked };
  const detail = blocked.length === 0 ? "intervened" : blocked.join(", ");
  return { type: "deny", reason: `The ${phase} is not permitted by the content policy.`, detail, assessment };
}
