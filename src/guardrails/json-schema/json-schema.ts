import { z } from "zod";
import { parsePlainJson } from "../../kernel/parse-json.ts";
import { isPlainJson } from "../../kernel/plain-json.ts";
import { parseStrictJson } from "../../kernel/strict-json.ts";
import type { GuardrailPhase, Verdict } from "../../pipeline/define-guardrail.ts";
import { defineGuardrail } from "../../pipeline/define-guardrail.ts";
import { heldWhole, heldWholeMember, judgedTogether, longerThanHeld, phasesMember } from "../held-whole.ts";
import type { SchemaTest } from "./compile-schema.ts";
import { compileSchema } from "./compile-schema.ts";
import { findFenced } from "./find-fenced.ts";
import { findJson } from "./find-json.ts";

const longestSchema = 100_000;
const mostDocuments = 1_000;

const config = z.strictObject({
  schema: z
    .record(z.string().max(256), z.unknown())
    .refine((schema) => JSON.stringify(schema).length <= longestSchema, `at most ${longestSchema} characters of JSON`)
    .meta({ title: "Schema", description: "A JSON Schema; `$ref` leads to places in itself only." }),
  draft: z.enum(["2020-12", "draft-07"]).default("2020-12").meta({
    title: "Draft",
    description: "By which edition of JSON Schema it is read.",
  }),
  look: z.enum(["anywhere", "fenced", "whole"]).default("anywhere").meta({
    title: "Look",
    description:
      "`anywhere`: objects and arrays in the midst of a text. `fenced`: blocks between ``` marked as JSON or as nothing. `whole`: the text itself.",
  }),
  match: z.enum(["any", "all", "first"]).default("any").meta({
    title: "Match",
    description: "Which of the documents found has to fit.",
  }),
  whenNone: z.enum(["deny", "pass"]).default("deny").meta({
    title: "When there is none",
    description: "What becomes of a message without JSON. With `invert` it passes.",
  }),
  invert: z.boolean().default(false).meta({ title: "Invert", description: "Refuses messages whose JSON fits." }),
  maxDepth: z.int().min(1).max(200).default(64).meta({
    title: "Depth",
    description: "JSON that is nested deeper does not fit.",
  }),
  maxCharacters: heldWholeMember,
  phases: phasesMember.default(["response"]),
});

/**
 * Holds the JSON in texts against a schema. A request is judged over all its texts together, of an answer each by
 * itself. JSON that two readers could take for two things (a member twice, half a surrogate pair) fits nothing.
 * @see https://json-schema.org/draft/2020-12
 */
export const jsonSchema = defineGuardrail({
  id: "json-schema",
  title: "JSON schema",
  summary: "Refuses messages whose JSON does not fit a schema.",
  config,
  examples: [
    { schema: { type: "object", required: ["answer"], properties: { answer: { type: "string" } } } },
    { schema: { type: "array", maxItems: 10 }, look: "whole", match: "first", phases: ["request", "response"] },
  ],
  onError: "deny",
  isPure: true,
  compile({ schema, draft, look, match, whenNone, invert, maxDepth, maxCharacters, phases }) {
    const fault = compileSchema(schema, draft);
    const read = (texts: readonly string[]): Documents => readDocuments(texts, look, maxDepth, fault);
    return {
      phases,
      window: heldWhole(maxCharacters),
      inspect(spans, phase) {
        const messages = judgedTogether(spans, phase);
        const tooLong = longerThanHeld(messages.flat(), maxCharacters, phase);
        if (tooLong !== undefined) return tooLong;
        for (const message of messages) {
          const documents = read(message);
          const isGood =
            documents.faults.length === 0 ? invert || whenNone === "pass" : fits(documents, match) !== invert;
          if (!isGood || documents.isOver) return refusal(documents, phase, invert);
        }
        return { type: "pass" };
      },
    };
  },
});

interface Documents {
  /** Of each document what is wrong with it. */
  readonly faults: readonly (string | undefined)[];
  readonly isOver: boolean;
}

function readDocuments(
  texts: readonly string[],
  look: "anywhere" | "fenced" | "whole",
  maxDepth: number,
  fault: SchemaTest,
): Documents {
  const [only = ""] = texts;
  const whole = texts.length === 1 && look !== "fenced" ? wholeDocument(only, maxDepth) : undefined;
  if (whole !== undefined) return { faults: [fault(whole.value)], isOver: false };
  const sources = texts.flatMap((text) => sourcesIn(text, look));
  const faults = sources.slice(0, mostDocuments).map((source) => {
    const parsed = parseStrictJson(Buffer.from(source, "utf8"), maxDepth);
    return "fault" in parsed ? `not JSON: ${parsed.fault.type}` : fault(parsed.value);
  });
  return { faults, isOver: sources.length > mostDocuments };
}

/**
 * The object or array that the text is and nothing else, where that is seen at once: nothing has to be looked for then, as a
 * model that was told to write JSON does. Undefined says nothing about the text.
 */
function wholeDocument(text: string, maxDepth: number): { readonly value: unknown } | undefined {
  const source = text.trim();
  const ends = source.charAt(0) + source.charAt(source.length - 1);
  if ((ends !== "{}" && ends !== "[]") || !source.isWellFormed() || !isPlainJson(source, maxDepth)) return undefined;
  try {
    return { value: parsePlainJson(source) };
  } catch {
    return undefined;
  }
}

function sourcesIn(text: string, look: "anywhere" | "fenced" | "whole"): readonly string[] {
  if (look === "whole") return text.trim() === "" ? [] : [text.trim()];
  if (look === "fenced") return findFenced(text);
  const found = findJson(text);
  if (found.length > 0) return found.map(({ start, end }) => text.slice(start, end));
  const whole = text.trim();
  return isScalar.test(whole) ? [whole] : [];
}

/** A text that is nothing but a string, a number or a word of JSON; whether it is a good one is the parser's to say. */
const isScalar = /^(?:"[^]*"|-?\d[\d.eE+-]*|true|false|null)$/;

function fits({ faults }: Documents, match: "any" | "all" | "first"): boolean {
  if (match === "first") return faults[0] === undefined;
  return match === "all" ? faults.every((fault) => fault === undefined) : faults.some((fault) => fault === undefined);
}

function refusal({ faults, isOver }: Documents, phase: GuardrailPhase, invert: boolean): Verdict {
  const fault = faults.find((each) => each !== undefined);
  const assessment = { documents: faults.length, fitting: faults.filter((each) => each === undefined).length, fault };
  const refuse = (what: string, detail: string): Verdict => ({
    type: "deny",
    reason: `The ${phase} ${what}.`,
    detail,
    assessment,
  });
  if (isOver) return refuse("holds too many pieces of JSON", `more than ${mostDocuments} documents`);
  if (invert) return refuse("holds JSON of a form that is not permitted here", "the schema fits");
  if (faults.length === 0) return refuse("lacks the JSON that is required here", "no JSON");
  return refuse("holds JSON that does not have the form that is required here", `fault at ${fault}`);
}
