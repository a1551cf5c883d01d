import type { Selection } from "../../../analytics/analytics-reader.ts";

/**
 * The condition of a selection on `governance_events` for all times; its parameters are those of `selectionParameters`.
 * `api` is a resource there, and what only calls have, as an environment, holds for nothing.
 */
export function governanceCondition({ api, teamIds }: Pick<Selection, "api" | "teamIds">): string {
  const mine = teamIds?.length === 0 ? "false" : "has(splitByChar(',', {teamIds:String}), team_id)";
  return [
    "true",
    ...(api === undefined ? [] : ["(artifact_id = {api:String} OR artifact_name = {api:String})"]),
    ...(teamIds === undefined ? [] : [mine]),
  ].join(" AND ");
}
