import { z } from "zod";
import type { ResourceKind } from "../core/resource.ts";
import { apiVersion, metadataInputSchema, metadataSchema } from "../core/resource.ts";

/** A schema of the OpenAPI document, with the components that it refers to. */
export interface SchemaComponent {
  readonly name: string;
  /** JSON Schema 2020-12, which is what OpenAPI 3.1 takes. */
  readonly json: Readonly<Record<string, unknown>>;
  readonly uses: readonly SchemaComponent[];
}

/** The component of a zod schema: `input` is what a sender may write, `output` what a reader gets. */
export function schemaComponent(name: string, schema: z.ZodType, io: "input" | "output"): SchemaComponent {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    io,
    target: "draft-2020-12",
    override({ jsonSchema }) {
      // What our schemas look at is a reference by then; a sender may write the value, and a reader gets a mask.
      if (jsonSchema["secret"] === true) delete jsonSchema.pattern;
    },
  });
  return { name, json, uses: [] };
}

/** `{$ref}` to the component. */
export function schemaReference(component: SchemaComponent): { $ref: string } {
  return { $ref: `#/components/schemas/${component.name}` };
}

/** A page of a list of `item`. */
export function pageComponent(item: SchemaComponent): SchemaComponent {
  return {
    name: `${item.name}Page`,
    uses: [item],
    json: {
      type: "object",
      required: ["items"],
      properties: {
        items: { type: "array", items: schemaReference(item) },
        next: { type: "string", description: "The cursor of the next page; absent at the end." },
      },
    },
  };
}

/** A document of the file form, and what a reader of it gets. */
export function documentComponents(
  kind: string,
  spec: SchemaComponent,
  description: string,
): { readonly input: SchemaComponent; readonly view: SchemaComponent } {
  const head = { apiVersion: { const: apiVersion }, kind: { const: kind } };
  const view = ["apiVersion", "kind", "metadata", "spec"];
  return {
    input: {
      name: kind,
      uses: [spec, metadataInput],
      json: {
        type: "object",
        description,
        required: ["metadata", "spec"],
        properties: { ...head, metadata: schemaReference(metadataInput), spec: schemaReference(spec) },
      },
    },
    view: {
      name: `${kind}View`,
      uses: [spec, metadataView],
      json: {
        type: "object",
        description,
        required: view,
        properties: { ...head, metadata: schemaReference(metadataView), spec: schemaReference(spec) },
      },
    },
  };
}

/** The components of a kind of resource: its spec, the document that is written and the one that is read. */
export function kindComponents(kind: ResourceKind): ReturnType<typeof documentComponents> {
  return documentComponents(kind.kind, schemaComponent(`${kind.kind}Spec`, kind.spec, "input"), kind.summary);
}

const metadataInput = schemaComponent("MetadataInput", metadataInputSchema, "input");
const metadataView = schemaComponent("Metadata", metadataSchema, "output");
