import { z } from "zod";
import type { Actor, CoreContext } from "../core/core-context.ts";
import type { Permission } from "../core/roles.ts";
import type { Caller } from "./caller.ts";
import type { ControlOptions } from "./control-options.ts";
import { parseInput } from "./parse-input.ts";
import type { SchemaComponent } from "./schema-component.ts";

/** One request that was let in. */
export interface ControlCall<Query = unknown> {
  readonly options: ControlOptions;
  readonly context: CoreContext;
  readonly actor: Actor;
  /** Who calls; undefined on routes for everybody. */
  readonly caller: Caller | undefined;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly url: URL;
  readonly ifMatch: string | undefined;
  /** A header of the request, by its lower-case name. */
  header(name: string): string | undefined;
  /** Reads the body, within the limits. Once. */
  readonly body: () => Promise<unknown>;
}

/** An answer as the documentation shows it. */
export interface RouteAnswer {
  readonly description: string;
  readonly schema?: SchemaComponent;
  /** Other than JSON: `text/html`. */
  readonly mediaType?: string;
  readonly headers?: readonly ("ETag" | "Location" | "Link")[];
}

/**
 * Who a route is for. `gateway`: a gateway process by its own token, which the route itself looks at; tokens of people open
 * none of these.
 */
export type RouteAccess = "public" | "gateway" | { readonly permission: Permission };

/** One row of the route table: what is not in it does not exist. */
export interface ControlRoute {
  readonly method: "get" | "post" | "put" | "delete";
  /** As OpenAPI writes it: `/api/v1/teams/{name}`. */
  readonly path: string;
  /** Who may ask: everybody, or who holds a permission, somewhere; that is known before anything of the request is read. */
  readonly access: RouteAccess;
  readonly operationId: string;
  readonly tag: string;
  readonly summary: string;
  readonly query: z.ZodObject;
  readonly body: SchemaComponent | undefined;
  /** `optional`: without If-Match the call goes ahead, with one that is out of date it is refused all the same. */
  readonly ifMatch: "required" | "optional" | "unused";
  readonly answers: Readonly<Record<number, RouteAnswer>>;
  handle(call: ControlCall): Promise<Response>;
}

interface RouteInput<Query extends z.ZodObject>
  extends Pick<ControlRoute, "method" | "path" | "access" | "operationId" | "tag" | "summary" | "answers"> {
  readonly query?: Query;
  readonly body?: SchemaComponent;
  readonly ifMatch?: "required" | "optional";
  handle(call: ControlCall<z.output<Query>>): Promise<Response>;
}

/**
 * Declares a route. Its query is parsed by `query` before `handle` sees it; a parameter that is not declared is
 * refused, except on public routes, which ignore them (probes like to append some).
 */
export function defineRoute<Query extends z.ZodObject>(input: RouteInput<Query>): ControlRoute {
  const none = input.access === "public" ? z.looseObject({}) : z.strictObject({});
  // Without a schema of its own, `Query` is inferred as any object and `handle` looks at none of its members.
  const query = (input.query ?? none) as Query;
  return {
    ...input,
    query,
    body: input.body,
    ifMatch: input.ifMatch ?? "unused",
    handle: (call) =>
      input.handle({ ...call, query: parseInput(query, call.query, { code: "request.invalid", prefix: "query" }) }),
  };
}

/** A JSON answer. */
export function jsonAnswer(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } });
}

/** 204. */
export function emptyAnswer(): Response {
  return new Response(null, { status: 204 });
}

/** The path parameter `name`; empty, which names nothing, when the route has none. */
export function nameOf(call: Pick<ControlCall, "params">): string {
  return call.params["name"] ?? "";
}
