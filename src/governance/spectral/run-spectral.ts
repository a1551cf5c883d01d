import type { ChildAnswer, ChildQuestion } from "./child-messages.ts";
import { createDocumentEvaluator } from "./evaluate-document.ts";
import { lockDown } from "./lock-down.ts";

// The program of the child process: it answers one question after another, and ends when its parent does.
lockDown();
const evaluator = createDocumentEvaluator();

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
