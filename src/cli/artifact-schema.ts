import { formSchema } from "../governance/artifacts/artifact-form.ts";
import { artifactForms } from "../governance/artifacts/artifact-forms.ts";
import { GatewayError } from "../kernel/errors.ts";

/** The published JSON Schema of a kind's form, as its file in `docs/reference/governance` is. Throws `resource.not_found`. */
export function printArtifactSchema(kind: string): string {
  const form = artifactForms.find((each) => each.kind === kind);
  if (form !== undefined) return `${JSON.stringify(formSchema(form), undefined, 2)}\n`;
  const known = artifactForms.map((each) => each.kind).join(", ");
  throw new GatewayError("resource.not_found", `Rulesets see no ${kind}; they see ${known}.`);
}
