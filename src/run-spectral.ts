import type { ChildAnswer, ChildQuestion } from "./governance/spectral/child-messages.ts";
import { createDocumentEvaluator } from "./governance/spectral/evaluate-document.ts";
import { lockDown } from "./governance/spectral/lock-down.ts";
import { findConfusable } from "./guardrails/injection/find-confusable.ts";
import { findHidden } from "./guardrails/injection/hidden-characters.ts";
import { scorePoison } from "./guardrails/injection/score-poison.ts";
import { secretFinder, secretKinds } from "./guardrails/secrets/find-secrets.ts";

// The program of the child process: it answers one question after another, and ends when its parent does. It stands here
// because its rules judge texts by what guardrails know.
lockDown();
const findSecrets = secretFinder({ kinds: new Set(secretKinds), allowed: new Set(), minBits: 3.5 });
const evaluator = createDocumentEvaluator({
  instructions(text) {
    const { score, kinds } = scorePoison(text);
    return score >= 0.5 ? kinds : [];
  },
  hidden: (text) => [...new Set(findHidden(text).map(({ kind }) => kind))],
  secrets: (text) => [...new Set(findSecrets(text).map(({ kind }) => kind))],
  deceptive: findConfusable,
});

process.on("message", (question: ChildQuestion) => {
  evaluator
    .answer(question)
    .then(tell, (error: unknown) => tell({ type: "failed", id: question.id, message: String(error) }));
});
process.on("disconnect", () => process.exit(0));
tell({ type: "ready" });

function tell(answer: ChildAnswer): void {
  process.send?.(answer);
}
