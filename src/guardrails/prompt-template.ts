import { z } from "zod";
import type { SpanEdit, Verdict } from "../pipeline/define-guardrail.ts";
import { defineGuardrail } from "../pipeline/define-guardrail.ts";

const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, "letters, digits, - and _");

const config = z.strictObject({
  templates: z
    .array(
      z.strictObject({
        name: name.meta({ title: "Name", description: "As callers write it: `template://name`." }),
        prompt: z.string().min(1).max(50_000).meta({
          title: "Prompt",
          description: "The text; `[[key]]` stands for what the caller gives as `key`.",
        }),
      }),
    )
    .min(1)
    .max(200)
    .refine((templates) => new Set(templates.map((each) => each.name)).size === templates.length, "names must differ")
    .meta({ title: "Templates", description: "Prompts that callers name." }),
  unknown: z.enum(["deny", "leave"]).default("deny").meta({
    title: "Unknown templates",
    description: "Refuse a request that names one, or leave its text as it is.",
  }),
  authors: z
    .array(z.enum(["system", "user", "assistant", "tool", "unknown"]))
    .min(1)
    .max(5)
    .default(["system", "user", "unknown"])
    .meta({ title: "Authors", description: "In whose texts templates are filled in." }),
  maxUses: z.int().min(1).max(100).default(10).meta({
    title: "Most uses",
    description: "A request that names templates more often is refused.",
  }),
});

/**
 * Fills in prompts that callers name: `template://translate?to=German&text=Good%20day`. Values are percent-encoded and
 * stand in the prompt as they are: what looks like a placeholder or a template in them is text.
 */
export const promptTemplate = defineGuardrail({
  id: "prompt-template",
  title: "Prompt templates",
  summary: "Fills in prompts that callers name in place of writing them.",
  config,
  examples: [{ templates: [{ name: "translate", prompt: "Translate into [[to]]: [[text]]" }] }],
  onError: "deny",
  isPure: true,
  compile({ templates, unknown, authors, maxUses }) {
    const prompts = new Map(templates.map((template) => [template.name, compilePrompt(template.prompt)]));
    return {
      phases: ["request"],
      inspect(spans): Verdict {
        const edits: SpanEdit[] = [];
        for (const [span, { author, text }] of spans.entries()) {
          if (!authors.includes(author)) continue;
          for (const found of text.matchAll(use)) {
            const [whole, template = "", query = ""] = found;
            const prompt = prompts.get(template);
            if (prompt === undefined && unknown === "leave") continue;
            const replacement = prompt?.(query);
            if (replacement === undefined) return unfilled(prompt === undefined ? undefined : template);
            edits.push({ span, start: found.index, end: found.index + whole.length, replacement });
            if (edits.length > maxUses) return refuse("The request names too many templates.", `over ${maxUses}`);
          }
        }
        return edits.length === 0 ? { type: "pass" } : { type: "rewrite", edits, detail: `${edits.length} templates` };
      },
    };
  },
});

const use = /template:\/\/([A-Za-z0-9][A-Za-z0-9_-]{0,63})(?:\?([^\s"'<>`]*))?/g;

/** The refusal of a template that there is not, or whose values are wrong. */
function unfilled(template: string | undefined): Verdict {
  if (template === undefined) return refuse("The request names a template that there is not.", "unknown template");
  const reason = `The request does not give, or gives twice, what the template "${template}" needs.`;
  return refuse(reason, `values of ${template}`);
}

function refuse(reason: string, detail: string): Verdict {
  return { type: "deny", reason, detail };
}

/** Undefined where a value is missing, is given twice or is wrongly encoded. */
function compilePrompt(prompt: string): (query: string) => string | undefined {
  const parts = prompt.split(/\[\[([A-Za-z0-9_.-]{1,64})\]\]/); // texts and keys in turn
  return (query) => {
    const values = readQuery(query);
    if (values === undefined) return undefined;
    const filled = parts.map((part, index) => (index % 2 === 0 ? part : values.get(part)));
    return filled.every((part) => part !== undefined) ? filled.join("") : undefined;
  };
}

function readQuery(query: string): ReadonlyMap<string, string> | undefined {
  const values = new Map<string, string>();
  for (const pair of query.split("&").filter((each) => each !== "")) {
    const at = pair.indexOf("=");
    const [key, value] = [pair.slice(0, at < 0 ? pair.length : at), at < 0 ? "" : pair.slice(at + 1)].map(decoded);
    if (key === undefined || value === undefined || values.has(key)) return undefined;
    values.set(key, value);
  }
  return values;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
