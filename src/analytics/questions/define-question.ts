import { z } from "zod";

/** The tables that questions read. */
export type QuestionTable = "exchanges" | "attempts";

/** The length of a step, by the calendar of UTC; `total` is the whole range. */
export const granularities = ["minute", "hour", "day", "week", "month", "total"] as const;

export type Granularity = (typeof granularities)[number];

/** What a question may be about: calls, tries at upstreams, or acts of governance. */
export type QuestionSubject = QuestionTable | "governance_events";

/** What a question's SQL is put together from. All of it is our own text: what a caller says goes in by `{name:Type}`. */
export interface QuestionParts {
  /** The condition on the table: the range, the filters, and the teams that the caller may ask about. */
  readonly where: string;
  /** Of `governance_events` alone: the condition without the range. */
  readonly scope: string;
  /** The begin of a row's step. */
  readonly step: string;
}

/**
 * A question about recorded traffic, with all that is known of it: what it is asked with, how it is asked and what its
 * rows are. The API, its documentation and the command line have each question from here.
 */
export interface Question {
  /** Its path below `/analytics/`. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /** The name of its rows in the API's description. */
  readonly component: string;
  readonly table: QuestionSubject;
  /** By steps of time: then it takes `granularity`, `total` when absent. */
  readonly hasSteps: boolean;
  /** Its own parameters beside the range, the filters and the page. */
  readonly params: z.ZodObject;
  readonly row: z.ZodObject;
  /** One SELECT with a whole order and without LIMIT; its columns are the row's members. */
  sql(parts: QuestionParts, params: Readonly<Record<string, unknown>>): string;
  /** Values of the SQL's own `{name:Type}`. */
  values(params: Readonly<Record<string, unknown>>): Readonly<Record<string, string | number>>;
}

interface QuestionDefinition<Params extends z.ZodRawShape, Row extends z.ZodRawShape>
  extends Pick<Question, "id" | "title" | "description" | "component"> {
  readonly table?: QuestionSubject;
  readonly hasSteps?: boolean;
  readonly params?: Params;
  readonly row: Row;
  sql(parts: QuestionParts, params: z.output<z.ZodObject<Params>>): string;
  values?(params: z.output<z.ZodObject<Params>>): Readonly<Record<string, string | number>>;
}

/** A question. Its parameters come to `sql` and `values` as their schema has them. */
export function defineQuestion<Params extends z.ZodRawShape, Row extends z.ZodRawShape>(
  definition: QuestionDefinition<Params, Row>,
): Question {
  const { id, title, description, component, table = "exchanges", hasSteps = false } = definition;
  const params = z.strictObject(definition.params ?? {}) as z.ZodObject; // an absent shape has no members
  const read = (given: unknown) => params.parse(given) as z.output<z.ZodObject<Params>>; // as the shape says
  return {
    id,
    title,
    description,
    component,
    table,
    hasSteps,
    params,
    row: z.strictObject(definition.row),
    sql: (parts, given) => definition.sql(parts, read(given)),
    values: (given) => definition.values?.(read(given)) ?? {},
  };
}

/** When a step begins. */
export const atSchema = z.iso.datetime().meta({ description: "When the step begins." });

/** A sum of money: a decimal text, exact, in units of the currency. */
export const moneySchema = z.string().nullable();

/** Milliseconds; null where nothing was measured. */
export const millisecondsSchema = z.number().nullable();

/** A share from 0 to 1; null of nothing. */
export const shareSchema = z.number().nullable();
