import type { ControlPlane } from "./control-plane.ts";

/** Makes a team and gives its id. */
export async function createTeam(plane: ControlPlane, name: string): Promise<string> {
  const answer = await plane.send("POST", "/api/v1/teams", { metadata: { name }, spec: {} });
  if (answer.status !== 201) throw new Error(answer.text);
  return answer.body.metadata.id;
}
