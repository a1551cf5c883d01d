import { z } from "zod";
import { customEntitySchema } from "./custom-entity.ts";
import { nationalIds } from "./national-ids/national-ids.ts";

const actions = ["mask", "redact", "block", "annotate", "off"] as const;

/** What is done with a piece of personal data. */
export type PiiAction = (typeof actions)[number];

/** The kinds that need no description by the operator. */
export const entityTitles = {
  email: "E-mail addresses",
  phone: "Phone numbers",
  "credit-card": "Payment cards",
  iban: "Bank accounts (IBAN)",
  "ip-address": "IP addresses",
  "national-id": "National ids",
  passport: "Passports",
  "driving-licence": "Driving licences",
  "date-of-birth": "Dates of birth",
  name: "Names of the list",
} as const;

export type Entity = keyof typeof entityTitles;

const action = z.enum(actions);

function entityActions(where: string) {
  const of = (title: string) =>
    action.optional().meta({ title, description: `What is done with them in ${where}; \`action\` when absent.` });
  return z
    .strictObject({
      email: of(entityTitles.email),
      phone: of(entityTitles.phone),
      "credit-card": of(entityTitles["credit-card"]),
      iban: of(entityTitles.iban),
      "ip-address": of(entityTitles["ip-address"]),
      "national-id": of(entityTitles["national-id"]),
      passport: of(entityTitles.passport),
      "driving-licence": of(entityTitles["driving-licence"]),
      "date-of-birth": of(entityTitles["date-of-birth"]),
      name: of(entityTitles.name),
    })
    .prefault({})
    .meta({ title: "Entities", description: `Kinds that are treated apart in ${where}.` });
}

const [firstId = "", ...otherIds] = nationalIds.map(({ id }) => id);

/** The configuration of `pii`. */
export const piiConfig = z.strictObject({
  action: action.default("mask").meta({
    title: "Action",
    description:
      "What is done with kinds of a request that `entities` does not name: `mask` (a placeholder, undone in the answer), `redact`, `block`, `annotate` (only noted) or `off`.",
  }),
  entities: entityActions("requests"),
  answers: z
    .strictObject({
      action: action.default("off").meta({
        title: "Action",
        description:
          "What is done with what the model or the tool says by itself. `mask` shows the kind, `[EMAIL]`; it is not undone.",
      }),
      entities: entityActions("answers"),
    })
    .prefault({})
    .meta({
      title: "Answers",
      description:
        "Of a stream 192 characters are held back where anything is looked for, 112 where something is restored.",
    }),
  replacement: z
    .string()
    .max(200)
    .default("[redacted]")
    .meta({ title: "Replacement", description: "Stands in place of what is redacted; literal." }),
  nationalIds: z
    .array(z.enum([firstId, ...otherIds]))
    .max(100)
    .optional()
    .meta({ title: "National ids", description: "Those that are looked for; all when absent." }),
  phoneCountries: z
    .array(z.string().regex(/^[A-Z]{2}$/, "two capital letters"))
    .max(50)
    .default(["US", "GB", "DE", "FR", "ES", "IT", "NL", "IN", "AU", "BR"])
    .meta({
      title: "Phone countries",
      description: "Whose phone numbers are known without `+`: ISO 3166, alpha-2. With `+`, those of all are.",
    }),
  names: z
    .array(z.string().min(2).max(100))
    .max(10_000)
    .default([])
    .meta({ title: "Names", description: "Names of people or things, found as whole words in any case." }),
  custom: z
    .array(
      customEntitySchema.extend({
        action: action.optional().meta({ title: "Action", description: "In requests; the guardrail's when absent." }),
      }),
    )
    .max(100)
    .default([])
    .meta({ title: "Custom", description: "Kinds of your own." }),
});

export type PiiConfig = z.output<typeof piiConfig>;
