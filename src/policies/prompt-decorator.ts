import { z } from "zod";
import type { ProtocolAdapter } from "../pipeline/adapter.ts";
import type { SpanEdit } from "../pipeline/define-guardrail.ts";
import { definePolicy } from "../pipeline/define-policy.ts";
import type { Operation } from "../pipeline/exchange.ts";

const turnSchema = z.strictObject({
  role: z.enum(["system", "user", "assistant"]).meta({ title: "Role", description: "Whose turn it is." }),
  text: z.string().min(1).max(50_000).meta({ title: "Text", description: "What is said; literal." }),
});

const decoration = z.strictObject({
  turns: z.array(turnSchema).max(20).default([]).meta({ title: "Turns", description: "Put into the conversation." }),
  text: z.string().min(1).max(50_000).optional().meta({
    title: "Text",
    description: "Joined to the user's last text.",
  }),
});

const members = z.strictObject({
  prepend: decoration.prefault({}).meta({ title: "Before", description: "What comes before all that was said." }),
  append: decoration.prefault({}).meta({ title: "Behind", description: "What comes after all that was said." }),
  separator: z.string().max(100).default("\n\n").meta({
    title: "Separator",
    description: "Stands between a joined text and the user's.",
  }),
});

type Config = z.output<typeof members>;

const config = members.refine(
  ({ prepend, append }) => [prepend, append].some(({ turns, text }) => turns.length > 0 || text !== undefined),
  "give turns or a text",
);

/**
 * Puts turns before or behind those of a chat, and texts before or behind the user's last one, in whichever dialect the
 * caller speaks. Guardrails further down the list see what was added.
 */
export const promptDecorator = definePolicy({
  id: "prompt-decorator",
  title: "Prompt decorator",
  summary: "Puts turns and texts before or behind those of a chat.",
  config,
  examples: [
    { prepend: { turns: [{ role: "system", text: "You answer for Example Inc. and about its products only." }] } },
    { append: { text: "Answer in one paragraph." }, separator: "\n" },
  ],
  onError: "deny",
  needs: ["addTurns"],
  compile(options) {
    return {
      request({ api: { adapter } }, operation) {
        if (adapter.addTurns === undefined) return undefined;
        joinTexts(adapter, operation, options);
        adapter.addTurns(operation, options.prepend.turns, "first");
        adapter.addTurns(operation, options.append.turns, "last");
        return undefined;
      },
    };
  },
});

function joinTexts(adapter: ProtocolAdapter, operation: Operation, { prepend, append, separator }: Config): void {
  if (prepend.text === undefined && append.text === undefined) return;
  if (operation.kind === "embeddings") return; // what is looked for is no conversation
  const spans = adapter.requestSpans(operation);
  const span = spans.findLastIndex(({ author, text }) => author === "user" && text !== "");
  const own = spans[span];
  if (own === undefined) return;
  const edits: SpanEdit[] = [];
  if (prepend.text !== undefined) edits.push({ span, start: 0, end: 0, replacement: prepend.text + separator });
  const end = own.text.length;
  if (append.text !== undefined) edits.push({ span, start: end, end, replacement: separator + append.text });
  adapter.editRequest(operation, spans, edits);
}
