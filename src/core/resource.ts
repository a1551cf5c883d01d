import { z } from "zod";
import type { IdKind } from "../kernel/ids.ts";

export const apiVersion = "gatehouse/v1";

/** A resource's name: lower-case letters, digits and inner hyphens, at most 63 characters (RFC 1123 label). */
export const nameSchema = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, "use lower-case letters, digits and inner hyphens, at most 63")
  .meta({ title: "Name", description: "Unique among resources of its kind; it cannot be changed later." });

export const labelsSchema = z
  .record(z.string().max(63), z.string().max(255))
  .meta({ title: "Labels", description: "Free key-value pairs for searching and grouping." });

/** What a writer says about a resource beside its `spec`. */
export const metadataInputSchema = z.strictObject({
  name: nameSchema,
  team: nameSchema.default("default").meta({ title: "Team", description: "The owning team; fixed at creation." }),
  labels: labelsSchema.optional(),
});

/** What a reader gets. */
export const metadataSchema = metadataInputSchema.extend({
  id: z.string().meta({ description: "Stable id; audit, keys and analytics bind by it." }),
  version: z.int().meta({ description: "Counts the writes; the ETag is this number in quotes." }),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});

export type MetadataInput = z.output<typeof metadataInputSchema>;

/** A reference in a spec: `path` is where it stands, for messages such as "in use by …". */
export interface Reference {
  readonly kind: string;
  readonly name: string;
  readonly path: string;
}

/** A kind of resource: its schema, its place in the REST API, and how a change goes live. */
export interface ResourceKind<Spec extends z.ZodType = z.ZodType> {
  readonly kind: string;
  readonly idKind: IdKind;
  /** Below `/api/v1/`: `llm-apis`. */
  readonly path: string;
  readonly title: string;
  readonly summary: string;
  readonly spec: Spec;
  /** `at-once`: a write is live. `revision`: a write makes a draft, publishing makes it live. */
  readonly live: "at-once" | "revision";
  references(spec: z.output<Spec>): readonly Reference[];
  /** Specs that are valid, for the documentation and the tests. */
  readonly examples: readonly z.input<Spec>[];
}

/** Declares a kind; pure. Put it in its own file and in the list of `kinds.ts`. */
export function defineResource<Spec extends z.ZodType>(kind: ResourceKind<Spec>): ResourceKind<Spec> {
  return kind;
}

/** A stored resource. `spec` has been checked by its kind's schema. */
export interface Resource<Spec = unknown> {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly teamId: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly version: number;
  readonly spec: Spec;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}
