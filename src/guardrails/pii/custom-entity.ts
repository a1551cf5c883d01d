import { z } from "zod";
import { GatewayError } from "../../kernel/errors.ts";
import { linearRegex } from "../../kernel/safe-regex.ts";
import type { Finding } from "../text/find-in-parts.ts";

/** A kind of personal data that the operator describes. */
export const customEntitySchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/, "lower case, words joined by dashes")
    .max(32)
    .meta({
      title: "Name",
      description: "Names the kind: `employee-number` gives placeholders like `[EMPLOYEE_NUMBER_1]`.",
    }),
  pattern: z
    .string()
    .min(1)
    .max(2_000)
    .meta({ title: "Pattern", description: "RE2 syntax; it must not match nothing." }),
  ignoreCase: z.boolean().default(false).meta({ title: "Ignore case", description: "Whether `A` matches `a`." }),
  near: z.array(z.string().min(1).max(64)).max(32).default([]).meta({
    title: "Near",
    description: "Words of which one must stand in the 64 characters before, or the 24 behind. None: always.",
  }),
});

export type CustomEntity = z.output<typeof customEntitySchema>;

/** Finds an operator's own kind. Throws `resource.invalid` for a pattern that is not RE2, or that matches nothing. */
export function customFinder({ name, pattern, ignoreCase, near }: CustomEntity): (text: string) => readonly Finding[] {
  const regex = linearRegex(pattern, { ignoreCase });
  if (regex.test("")) {
    throw new GatewayError(
      "resource.invalid",
      `The pattern of ${name} matches the empty text, so it matches everywhere.`,
    );
  }
  const words = near.map((word) => word.toLowerCase());
  return (text) =>
    regex
      .findAll(text)
      .map(([start, end]) => ({ start, end }))
      .filter(({ start, end }) => {
        if (words.length === 0) return true;
        const around = `${text.slice(Math.max(0, start - 64), start)} ${text.slice(end, end + 24)}`.toLowerCase();
        return words.some((word) => around.includes(word));
      });
}
