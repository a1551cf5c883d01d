import type { AttachmentSpec } from "../core/attachment.ts";
import type { FieldIssue } from "../kernel/errors.ts";
import type { ProtocolAdapter } from "./adapter.ts";
import type { CompiledGuardrail, GuardrailPlugin } from "./define-guardrail.ts";
import { compileSelection } from "./select-spans.ts";
import type { Attachment } from "./snapshot.ts";

/**
 * What of an attachment is for guardrails alone: the texts that one sees, and how its refusal is told. Faults go to
 * `fault`: such options on another policy, and what could never apply to the adapter's kind of API.
 */
export function compileGuardrailOptions(
  { use, spans, block }: AttachmentSpec,
  plugin: GuardrailPlugin | undefined,
  compiled: CompiledGuardrail | undefined,
  adapter: ProtocolAdapter | undefined,
  fault: (issue: FieldIssue) => void,
): Pick<Attachment, "selection" | "block"> {
  if (plugin === undefined || compiled === undefined) {
    const message = `"${use}" is no guardrail: it judges no texts`;
    if (spans !== undefined) fault({ path: "spans", message });
    if (block !== undefined) fault({ path: "block", message });
    return {};
  }
  const facts = adapter?.texts;
  if (facts !== undefined && !applies(plugin, compiled, facts.authors)) {
    fault({ path: "use", message: `"${use}" has nothing to judge at an API of the kind ${adapter?.kind}` });
  }
  if (block?.toolResult === true && facts?.hasResults === false) {
    fault({ path: "block.toolResult", message: `calls of the kind ${adapter?.kind} have no such results` });
  }
  const inSpans = (issue: FieldIssue): void => fault({ ...issue, path: `spans.${issue.path}` });
  const selection = spans && compileSelection(spans, compiled.phases, facts, inSpans);
  return { ...(selection !== undefined && { selection }), ...(block !== undefined && { block }) };
}

function applies(
  { appliesTo }: GuardrailPlugin,
  { phases }: CompiledGuardrail,
  authors: NonNullable<ProtocolAdapter["texts"]>["authors"],
): boolean {
  if (appliesTo === undefined) return true;
  return phases.some((phase) => appliesTo[phase]?.some((author) => authors[phase].includes(author)) === true);
}
