import { z } from "zod";
import type { AlertSpec } from "../core/alert.ts";
import { fieldIssues } from "../core/parse-document.ts";
import type { FieldIssue } from "../kernel/errors.ts";
import { errorCountSchema, latencySchema, modelUseSchema, toolUseSchema, trafficSchema } from "./answers.ts";
import { costRowSchema } from "./cost-answers.ts";
import { questions } from "./questions/index.ts";

/**
 * What an alert says that its question does not have: parameters, filters, and fields of its rows. Empty where it can be
 * asked.
 */
export function checkAlert(spec: AlertSpec): readonly FieldIssue[] {
  const asked = askedOf(spec.question);
  if (asked === undefined) return [];
  const params = asked.params.safeParse(spec.params);
  return [
    ...(params.success ? [] : fieldIssues(params.error.issues, ["spec", "params"])),
    ...(["tool", "client"] as const)
      .filter((name) => asked.isOfTries && spec.filters[name] !== undefined)
      .map((name) => ({
        path: `spec.filters.${name}`,
        message: "what is counted by tries knows no tools and no clients",
      })),
    ...fieldsOf(spec)
      .filter(({ field }) => !hasField(asked.row, field))
      .map(({ path, field }) => ({ path, message: `the answer has no \`${field}\`; it has ${namesOf(asked.row)}` })),
  ];
}

interface Asked {
  readonly params: z.ZodType;
  readonly row: z.ZodObject;
  /** Whether its rows are counted by tries, which know no tools and no clients. */
  readonly isOfTries: boolean;
}

const noParams = z.strictObject({});

/** Questions that are older than the list of them. */
const olderRows = {
  traffic: trafficSchema,
  errors: errorCountSchema,
  latency: latencySchema,
  "top-models": modelUseSchema,
  "top-tools": toolUseSchema,
  costs: costRowSchema,
} as const;

function askedOf(id: AlertSpec["question"]): Asked | undefined {
  const older = Object.entries(olderRows).find(([name]) => name === id)?.[1];
  if (older !== undefined) return { params: noParams, row: older, isOfTries: id === "costs" };
  const question = questions.find((each) => each.id === id);
  return question && { params: question.params, row: question.row, isOfTries: question.table === "attempts" };
}

function fieldsOf({
  field,
  per,
  atLeast,
  where,
}: AlertSpec): readonly { readonly path: string; readonly field: string }[] {
  return [
    { path: "spec.field", field },
    ...(per === undefined ? [] : [{ path: "spec.per", field: per }]),
    ...(atLeast === undefined ? [] : [{ path: "spec.atLeast.field", field: atLeast.field }]),
    ...Object.keys(where).map((name) => ({ path: `spec.where.${name}`, field: name })),
  ];
}

/** Whether rows have that field, and it is a value, no object. */
function hasField(row: z.ZodObject, path: string): boolean {
  let schema: unknown = row;
  for (const name of path.split(".")) {
    if (!(schema instanceof z.ZodObject) || !Object.hasOwn(schema.shape, name)) return false;
    schema = bare(schema.shape[name]);
  }
  return !(schema instanceof z.ZodObject);
}

function namesOf(row: z.ZodObject): string {
  const names = Object.entries(row.shape).flatMap(([name, schema]) => {
    const inner = bare(schema);
    return inner instanceof z.ZodObject ? Object.keys(inner.shape).map((each) => `${name}.${each}`) : [name];
  });
  return names.join(", ");
}

function bare(schema: unknown): unknown {
  return schema instanceof z.ZodNullable || schema instanceof z.ZodOptional ? bare(schema.unwrap()) : schema;
}
