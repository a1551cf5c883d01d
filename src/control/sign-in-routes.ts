import { z } from "zod";
import type { SessionRow } from "../core/access-tables.ts";
import { endSession, isOver } from "../core/sessions.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute, emptyAnswer } from "./control-route.ts";
import { pageAnswer, pageRequest } from "./page-query.ts";
import { pageComponent, schemaComponent } from "./schema-component.ts";
import { listedUser, signInQuery, userNames } from "./sign-in-list.ts";

/** The sessions that there are, to be looked at and ended. */
export function signInRoutes(): readonly ControlRoute[] {
  return [listRoute(), endRoute()];
}

const collection = "/api/v1/sessions";
const common = { tag: "Session" } as const;

/** A session as a list shows it: nothing in it lets anybody in. */
export const sessionViewSchema = z.strictObject({
  id: z.string(),
  user: z.string(),
  method: z.string().meta({ description: "`password`, or the name of the key manager." }),
  clientAddress: z.string(),
  userAgent: z.string(),
  createdAt: z.iso.datetime(),
  lastSeenAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  current: z.boolean().meta({ description: "Whether it is the one that asks." }),
});
const view = schemaComponent("Session", sessionViewSchema, "output");

function listRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "get",
    path: collection,
    operationId: "listSessions",
    access: { permission: "account:self" },
    summary: "List your sessions, or those of a user whom you may see",
    query: signInQuery,
    answers: { 200: { description: "A page.", schema: pageComponent(view), headers: ["Link"] } },
    async handle(call) {
      const { context, query, url, caller } = call;
      const { rows, next } = await context.catalog.read.sessions.list(
        await listedUser(call, query.user),
        pageRequest(query),
      );
      const nowMs = context.clock.now();
      const live = rows.filter((row) => !isOver(context, row, nowMs));
      const names = await userNames(
        context,
        live.map(({ userId }) => userId),
      );
      const items = live.map((row) => ({
        ...viewOf(row, names.get(row.userId) ?? row.userId),
        current: row.id === caller?.session?.id,
      }));
      return pageAnswer(url, items, next);
    },
  });
}

function endRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "delete",
    path: `${collection}/{id}`,
    operationId: "endSession",
    access: { permission: "account:self" },
    summary: "End a session of yours, or of a user whom you may change",
    answers: { 204: { description: "Ended." } },
    async handle({ context, actor, caller, params }) {
      await endSession(context, actor, params["id"] ?? "", caller?.user?.id);
      return emptyAnswer();
    },
  });
}

function viewOf(row: SessionRow, user: string): Omit<z.output<typeof sessionViewSchema>, "current"> {
  const { id, method, clientAddress, userAgent, createdAtMs, lastSeenAtMs, expiresAtMs } = row;
  const at = (ms: number): string => new Date(ms).toISOString();
  const times = { createdAt: at(createdAtMs), lastSeenAt: at(lastSeenAtMs), expiresAt: at(expiresAtMs) };
  return { id, user, method, clientAddress, userAgent, ...times };
}
