import type { OutputForm, ReasoningWish, Sampling } from "../chat-request.ts";
import type { MemberReader } from "../member-reader.ts";

// What OpenAI's two dialects, and in part Anthropic's, say in the same words.

const samplingMembers = {
  temperature: "temperature",
  top_p: "topP",
  top_k: "topK",
  seed: "seed",
  presence_penalty: "presencePenalty",
  frequency_penalty: "frequencyPenalty",
} as const;

/** How the answer is drawn, by those of the members that a dialect has. */
export function readSampling(top: MemberReader, ...names: readonly (keyof typeof samplingMembers)[]): Sampling {
  const read = names.map((name) => [samplingMembers[name], top.number(name)] as const);
  return Object.fromEntries(read.filter(([, value]) => value !== undefined));
}

/**
 * The form of the answer. `about` says where name, schema and the like stand, where that is not beside the type.
 * @param format `response_format` of a chat, `text.format` of a response
 */
export function readOpenAiFormat(
  format: MemberReader | undefined,
  about: (format: MemberReader) => MemberReader | undefined = (own) => own,
): OutputForm | undefined {
  if (format === undefined) return undefined;
  const type = format.oneOf("type", ["text", "json_object", "json_schema"]);
  if (type !== "json_schema") return { type: type === "json_object" ? "json" : "text" };
  const told = about(format);
  const schema = told?.plain("schema");
  if (told === undefined || schema === undefined) throw format.fault("json_schema.schema", "must be an object");
  const [description, strict] = [told.text("description"), told.flag("strict")];
  return {
    type: "schema",
    name: told.text("name") ?? "answer",
    ...(description === undefined ? {} : { description }),
    schema,
    ...(strict === undefined ? {} : { strict }),
  };
}

const efforts = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;

/** How hard the model is to think, by OpenAI's words; `xhigh` is the most that there is. */
export function readEffort(holder: MemberReader, name: string): ReasoningWish["effort"] {
  const effort = holder.oneOf(name, efforts);
  return effort === "xhigh" ? "max" : effort;
}

/** Texts that are kept beside the request; none where there are none. */
export function readMetadata(top: MemberReader): Readonly<Record<string, string>> | undefined {
  const entries = Object.entries(top.plain("metadata") ?? {}).map(([name, value]) => {
    if (typeof value !== "string") throw top.fault(`metadata.${name}`, "must be a string");
    return [name, value] as const;
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
