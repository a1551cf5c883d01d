import { z } from "zod";
import type { CoreContext } from "./core-context.ts";
import type { InlineValue } from "./inline-secrets.ts";
import { concealInline } from "./inline-secrets.ts";
import { parseDocument, refuseTooDeep } from "./parse-document.ts";
import type { ResourceKind } from "./resource.ts";
import { apiVersion, metadataInputSchema, nameSchema } from "./resource.ts";

/** What a writer said of a resource, checked. */
export interface ResourceDocument {
  readonly name: string;
  /** Undefined where it was not said: `default` for a new resource, as it is for one that exists. */
  readonly team: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: unknown;
  /** The values that were given inline in `spec`, which itself holds only where they belong. */
  readonly inline?: readonly InlineValue[];
}

/** Fields that a reader gets and may send back; a writer cannot set them, so they are not looked at. */
export const readOnlyMetadata = {
  id: z.string().optional(),
  version: z.number().optional(),
  createdAt: z.string().optional(),
  updatedAt: z.string().optional(),
};

/**
 * Parses `{apiVersion?, kind?, metadata, spec}`: the body of the REST API and the document in a file. What a reader
 * was shown beside that (`metadata.id`, `status`, …) may stay in it.
 *
 * Secret values in it are taken out first. Throws `resource.invalid` with every field at fault.
 */
export function parseResourceDocument(
  context: Pick<CoreContext, "vaultKeys" | "plugins">,
  kind: ResourceKind,
  input: unknown,
): ResourceDocument {
  const concealed = conceal(context, kind, input);
  const { metadata, spec } = parseDocument(
    z.strictObject({
      apiVersion: z.literal(apiVersion).optional(),
      kind: z.literal(kind.kind).optional(),
      metadata: metadataInputSchema.extend({ team: nameSchema.optional(), ...readOnlyMetadata }),
      spec: kind.spec,
      status: z.unknown().optional(),
    }),
    concealed.input,
  );
  const { name, team, labels = {} } = metadata;
  return { name, team, labels, spec, inline: concealed.inline };
}

function conceal(context: Pick<CoreContext, "vaultKeys" | "plugins">, kind: ResourceKind, input: unknown) {
  refuseTooDeep(input);
  if (typeof input !== "object" || input === null || !Object.hasOwn(input, "spec")) return { input, inline: [] };
  const { spec, inline } = concealInline(context, kind, Reflect.get(input, "spec"));
  return { input: { ...input, spec }, inline };
}
