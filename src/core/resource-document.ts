import { z } from "zod";
import { parseDocument } from "./parse-document.ts";
import type { ResourceKind } from "./resource.ts";
import { apiVersion, metadataInputSchema, nameSchema } from "./resource.ts";

/** What a writer said of a resource, checked. */
export interface ResourceDocument {
  readonly name: string;
  /** Undefined where it was not said: `default` for a new resource, as it is for one that exists. */
  readonly team: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: unknown;
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
 * Throws `resource.invalid` with every field at fault.
 */
export function parseResourceDocument(kind: ResourceKind, input: unknown): ResourceDocument {
  const { metadata, spec } = parseDocument(
    z.strictObject({
      apiVersion: z.literal(apiVersion).optional(),
      kind: z.literal(kind.kind).optional(),
      metadata: metadataInputSchema.extend({ team: nameSchema.optional(), ...readOnlyMetadata }),
      spec: kind.spec,
      status: z.unknown().optional(),
    }),
    input,
  );
  return { name: metadata.name, team: metadata.team, labels: metadata.labels ?? {}, spec };
}
