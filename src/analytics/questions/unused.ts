import { z } from "zod";
import { defineQuestion } from "./define-question.ts";

const subjects = {
  tool: ["api_id", "toString(primitive_name)", "primitive_type = 'tool' AND primitive_name != ''"],
  prompt: ["api_id", "toString(primitive_name)", "primitive_type = 'prompt' AND primitive_name != ''"],
  key: ["''", "key_id", "key_id != ''"],
  application: ["''", "application_id", "application_id != ''"],
  model: ["''", "toString(operation_name)", "api_kind = 'LlmApi' AND operation_name != ''"],
  api: ["api_id", "toString(api_name)", "true"],
} as const;
const subjectNames = Object.keys(subjects) as readonly (keyof typeof subjects)[]; // its own keys

/** What has fallen out of use. */
export const unused = defineQuestion({
  id: "unused",
  title: "Out of use",
  description:
    "What was used in the range, and not in its last `days`: tools, prompts, keys, applications, models or APIs, the one that was left first at the top. What was never used has no rows.",
  component: "UnusedItem",
  params: {
    of: z
      .enum(subjectNames)
      .default("tool")
      .meta({ title: "Of", description: `One of ${subjectNames.join(", ")}.` }),
    days: z.coerce
      .number()
      .int()
      .min(1)
      .max(399)
      .default(7)
      .meta({ title: "Days", description: "At the end of the range." }),
  },
  row: {
    apiId: z.string().nullable(),
    name: z.string(),
    uses: z.int(),
    lastAt: z.iso.datetime(),
  },
  sql({ where }, { of }) {
    const [place, name, condition] = subjects[of];
    return `SELECT nullIf(toString(${place}), '') AS apiId, ${name} AS name, count() AS uses, max(ts) AS lastAt
FROM {db}.exchanges WHERE ${where} AND ${condition}
GROUP BY apiId, name HAVING lastAt < fromUnixTimestamp64Milli({to:Int64}) - toIntervalDay({days:UInt16}) ORDER BY lastAt, apiId, name`;
  },
  values: ({ days }) => ({ days }),
});
