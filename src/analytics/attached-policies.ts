import { z } from "zod";
import { parseJson } from "../kernel/parse-json.ts";
import type { ExplainedRow } from "./explain-rows.ts";
import type { Explanation } from "./explanation.ts";

/**
 * What was attached for the request of that row, in the order gateway, API, team, application, plan. Of a configuration of an
 * older form: nothing.
 */
export function attachedPolicies(row: ExplainedRow, document: string): Explanation["config"]["attached"] {
  const found = documentSchema.safeParse(parseJson(document));
  if (!found.success) return []; // of an older form
  const { apis, supporting } = found.data;
  const byId = (id: string | null) => supporting.filter((each) => id !== null && each.id === id);
  const owners = [
    ...supporting.filter(({ kind, name }) => kind === "Gateway" && name === "default"),
    ...apis.filter(({ id }) => id === row.api_id),
    ...byId(row.team_id),
    ...byId(row.application_id),
    ...byId(row.plan_id),
  ];
  return owners.flatMap(({ kind, id, name, spec }) =>
    spec.policies.map(({ use, mode }, place) => ({
      place: `${id}/policies[${place}]`,
      policy: use,
      mode,
      owner: `${kind} ${name}`,
    })),
  );
}

const ownerSchema = z.looseObject({
  kind: z.string(),
  id: z.string(),
  name: z.string(),
  spec: z.looseObject({
    policies: z.array(z.looseObject({ use: z.string(), mode: z.string().default("enforce") })).default([]),
  }),
});
const documentSchema = z.looseObject({ apis: z.array(ownerSchema), supporting: z.array(ownerSchema) });
