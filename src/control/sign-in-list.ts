import type { CoreContext } from "../core/core-context.ts";
import { nameSchema } from "../core/resource.ts";
import { notFound } from "../core/resource-changes.ts";
import { holds, lacks, rightsOf } from "../core/rights.ts";
import type { ControlCall } from "./control-route.ts";
import { pageQuery } from "./page-query.ts";

/** The query of lists of sessions and tokens. */
export const signInQuery = pageQuery.extend({
  user: nameSchema.optional().meta({
    title: "User",
    description: "Whose. Absent: your own; with the admin token those of all users.",
  }),
});

/**
 * Whose sessions or tokens are to be listed. Throws `auth.forbidden` for those of others without `users:read`, and
 * `resource.not_found`.
 */
export async function listedUser(
  { context, actor, caller }: Pick<ControlCall, "context" | "actor" | "caller">,
  name: string | undefined,
): Promise<{ readonly userId?: string }> {
  if (name === undefined || name === caller?.user?.name) {
    return caller?.user === undefined ? {} : { userId: caller.user.id };
  }
  if (!holds(rightsOf(actor), "users:read")) throw lacks("users:read");
  const user = await context.catalog.read.users.find(name);
  if (user === undefined) throw notFound("User", name);
  return { userId: user.id };
}

/** The names of users by id; one who is gone is left out. */
export async function userNames(context: CoreContext, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  for (const id of new Set(ids)) {
    const user = await context.catalog.read.users.findById(id);
    if (user !== undefined) names.set(id, user.name);
  }
  return names;
}
