import { newId } from "../kernel/ids.ts";
import { beginSigning } from "./append-audit.ts";
import { resourceAction } from "./audit-actions.ts";
import type { Actor, CoreContext } from "./core-context.ts";
import { gateway } from "./gateway.ts";
import { keyManager, residentName } from "./key-manager.ts";
import type { Resource, ResourceKind } from "./resource.ts";
import { defaultName, insertResource } from "./resource-changes.ts";
import { team } from "./team.ts";
import { audit, inWrite } from "./write.ts";

const bootstrap: Actor = { type: "system", id: "bootstrap" };

/** Makes the team and the gateway called `default` and the resident key manager where they are missing. Call it at each start, before serving. */
export async function ensureDefaults(context: CoreContext): Promise<void> {
  await beginSigning(context);
  await inWrite(context, bootstrap, async (write) => {
    const { resources } = write.transaction;
    if ((await resources.find(team.kind, defaultName)) === undefined) {
      const resource = firstTeam(write.nowMs);
      await resources.insert(resource);
      await audit(write, resourceAction(team, "created"), resource, { version: 1 });
    }
    if ((await resources.find(gateway.kind, defaultName)) === undefined) {
      const kind = gateway as unknown as ResourceKind; // as in the list of kinds: its own spec is all that reaches it
      const spec = gateway.spec.parse({ policies: [] });
      await insertResource(write, kind, { name: defaultName, team: defaultName, labels: {}, spec });
    }
    if ((await resources.find(keyManager.kind, residentName)) === undefined) {
      const kind = keyManager as unknown as ResourceKind; // as above
      const spec = keyManager.spec.parse({ use: residentName });
      await insertResource(write, kind, { name: residentName, team: defaultName, labels: {}, spec });
    }
  });
}

// It owns itself, so it cannot go the way of every other resource, which needs a team that is there.
function firstTeam(nowMs: number): Resource {
  const id = newId("team");
  return {
    id,
    kind: team.kind,
    name: defaultName,
    teamId: id,
    labels: {},
    version: 1,
    spec: team.spec.parse({ displayName: "Default" }),
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
}
