import { z } from "zod";
import type { CatalogTransaction } from "../../core/catalog.ts";
import type { GovernedSubject } from "../../core/governance-gate.ts";
import type { ResourceKind } from "../../core/resource.ts";
import { apiVersion, labelsSchema } from "../../core/resource.ts";

/** The form in which rulesets see all resources of one kind. It has a published schema, against which rules can be written. */
export interface ArtifactForm {
  readonly kind: string;
  readonly title: string;
  /** Of a whole document. Secrets in it are masked, which the schema allows. */
  readonly schema: z.ZodType;
  /**
   * What stands beside the resource itself; nothing of other resources that change without this one being looked at. Without
   * a catalog, as for a file in a build, what only it knows is empty: what was seen of a server, keys.
   */
  more(read: CatalogTransaction | undefined, subject: GovernedSubject): Promise<Readonly<Record<string, unknown>>>;
}

/** The form of a kind: the resource as it is stored, and `members` beside it. */
export function defineForm(
  kind: ResourceKind,
  members: z.ZodRawShape = {},
  more: ArtifactForm["more"] = async () => ({}),
): ArtifactForm {
  const schema = z.strictObject({
    apiVersion: z.literal(apiVersion),
    kind: z.literal(kind.kind),
    metadata: z
      .strictObject({ name: z.string().meta({ title: "Name" }), labels: labelsSchema })
      .meta({ title: "Metadata" }),
    spec: kind.spec,
    ...members,
  });
  return { kind: kind.kind, title: kind.title, schema, more };
}

/** The published JSON Schema of a form, 2020-12. What is a secret in it may be a mask. */
export function formSchema({ kind, title, schema }: ArtifactForm): Readonly<Record<string, unknown>> {
  const { $schema, ...json } = z.toJSONSchema(schema, {
    io: "output",
    target: "draft-2020-12",
    override({ jsonSchema }) {
      if (jsonSchema["secret"] === true) delete jsonSchema.pattern;
    },
  });
  return { $schema, title: `${title}, as rulesets see it`, $comment: `kind ${kind}`, ...json };
}
