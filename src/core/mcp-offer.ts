import { z } from "zod";

const entryFields = {
  name: z.string().min(1).max(2_048).optional().meta({
    title: "Name",
    description: "Of the one that is meant: its name there, of a resource its URI or template.",
  }),
  match: z
    .string()
    .min(1)
    .max(2_048)
    .optional()
    .meta({ title: "Match", description: "In place of `name`: a glob, for all that it matches." }),
  title: z.string().min(1).max(256).optional().meta({ title: "Title" }),
  description: z.string().max(16_384).optional().meta({ title: "Description" }),
  hidden: z
    .boolean()
    .default(false)
    .meta({ title: "Hidden", description: "Not listed, and answered as if it were not there." }),
};

const annotationsSchema = z
  .strictObject({
    title: z.string().max(256).optional(),
    readOnlyHint: z.boolean().optional(),
    destructiveHint: z.boolean().optional(),
    idempotentHint: z.boolean().optional(),
    openWorldHint: z.boolean().optional(),
  })
  .meta({ title: "Annotations", description: "Put over those that the server gives, each by itself." });

const argumentsSchema = z
  .record(
    z.string().min(1).max(256),
    z.strictObject({
      value: z.unknown().meta({ title: "Value" }),
      fixed: z.boolean().default(false).meta({
        title: "Fixed",
        description: "Always this: callers are not told of the argument, and what they send for it is replaced.",
      }),
    }),
  )
  .meta({ title: "Arguments", description: "Values of arguments that a call leaves out." });

const asSchema = z
  .string()
  .regex(/^[A-Za-z0-9_.-]{1,64}$/, "letters, digits and _ . -, at most 64")
  .optional()
  .meta({ title: "As", description: "What it is called to clients." });

const callableFields = { ...entryFields, as: asSchema, arguments: argumentsSchema.default({}) };

const toolSchema = named(z.strictObject({ ...callableFields, annotations: annotationsSchema.optional() }));
const promptSchema = named(z.strictObject(callableFields));
const resourceSchema = z
  .strictObject({
    ...entryFields,
    as: z.string().min(1).max(256).optional().meta({ title: "As", description: "Its `name`; its URI stays." }),
  })
  .refine(isOneOf, { path: ["name"], message: "either `name` or `match`" });

/** `spec.offer`: what of a server is offered, and under which names and words. */
export const mcpOfferSchema = z.strictObject({
  tools: listOf(toolSchema).meta({ title: "Tools" }),
  prompts: listOf(promptSchema).meta({ title: "Prompts" }),
  resources: z
    .array(resourceSchema)
    .max(2_000)
    .optional()
    .meta({ title: "Resources", description: "And templates of resources." }),
  unlisted: z.enum(["deny", "allow"]).default("deny").meta({
    title: "Unlisted",
    description:
      "What of a kind that is listed here no entry names, such as tools that appear later: `deny` answers as if they were not there.",
  }),
});

export type McpOffer = z.output<typeof mcpOfferSchema>;

/** What an entry of `spec.offer` may say, whichever list it is of. */
export type McpOfferEntry = Partial<z.output<typeof toolSchema>>;

function listOf<Entry extends z.ZodType<{ readonly as?: string | undefined }>>(entry: Entry) {
  return z
    .array(entry)
    .max(2_000)
    .optional()
    .refine((list = []) => isUnique(list.flatMap(({ as }) => (as === undefined ? [] : [as.toLowerCase()]))), {
      message: "two are called the same (`as`)",
    });
}

function named<Entry extends z.ZodType<Named>>(entry: Entry) {
  return entry
    .refine(isOneOf, { path: ["name"], message: "either `name` or `match`" })
    .refine(({ as, name }) => as === undefined || name !== undefined, {
      path: ["as"],
      message: "a name is given to one, by its `name`",
    });
}

interface Named {
  readonly name?: string | undefined;
  readonly match?: string | undefined;
  readonly as?: string | undefined;
}

function isOneOf({ name, match }: Named): boolean {
  return (name === undefined) !== (match === undefined);
}

function isUnique(names: readonly string[]): boolean {
  return new Set(names).size === names.length;
}
