import { z } from "zod";
import { takeReport } from "../core/distribution.ts";
import { sealForAsker } from "../core/feed-seal.ts";
import type { KnownGateway } from "../core/gateway-tokens.ts";
import { findGatewayToken } from "../core/gateway-tokens.ts";
import { pinKinds } from "../core/mcp-definition.ts";
import type { GatewayReport } from "../core/plane-message.ts";
import { GatewayError } from "../kernel/errors.ts";
import { bearerToken } from "./bearer-token.ts";
import type { ControlCall, ControlRoute } from "./control-route.ts";
import { defineRoute, emptyAnswer, jsonAnswer } from "./control-route.ts";
import { parseInput } from "./parse-input.ts";
import { schemaComponent } from "./schema-component.ts";

/** What gateway processes ask for and tell. Their token opens these routes and nothing else. */
export function gatewayFeedRoutes(): readonly ControlRoute[] {
  return [feedRoute(), reportsRoute()];
}

const common = { access: "gateway", tag: "Gateway process" } as const;

/** Names the key that an answer is sealed for. */
export const feedKeyHeader = "x-gatehouse-feed-key";

function feedRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "get",
    path: "/api/v1/gateway-feed",
    operationId: "getGatewayFeed",
    summary: "What a gateway process serves from; with its ETag in `If-None-Match`, what has changed since",
    answers: {
      200: { description: "Everything, or the changes. The secrets are sealed for the asker.", schema: feed },
      304: { description: "Nothing has changed." },
    },
    async handle(call) {
      const { token } = await requireGateway(call);
      const { feed: source } = call.context;
      if (source === undefined) {
        throw new GatewayError("route.not_served", "This control plane has no feed for gateways.");
      }
      const asker = call.header(feedKeyHeader);
      if (asker === undefined) {
        throw new GatewayError("request.invalid", `Send a public key in \`${feedKeyHeader}\`, X25519 in base64url.`);
      }
      const found = await source.since(seenVersion(call.header("if-none-match")));
      if (found === undefined) return new Response(null, { status: 304, headers: { etag: tagOf(source.version) } });
      const sealed = sealForAsker(JSON.stringify(found.secrets), asker, token);
      return jsonAnswer(200, { ...found.answer, sealed }, { etag: tagOf(found.answer.version) });
    },
  });
}

function reportsRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "post",
    path: "/api/v1/gateway-reports",
    operationId: "postGatewayReport",
    summary: "What a gateway process has seen: when credentials were used, how upstreams are",
    body: report,
    answers: { 204: { description: "Noted. Saying the same again does no harm." } },
    async handle(call) {
      await requireGateway(call);
      const told = parseInput(reportSchema, await call.body(), { code: "request.invalid" });
      await takeReport(call.context, told as GatewayReport); // ids in it name rows or nothing; exact types are ours only
      return emptyAnswer();
    },
  });
}

/** Whose token the call shows. Rejects with `auth.…` for a call that shows none of a live gateway. */
export async function requireGateway(call: ControlCall): Promise<KnownGateway & { readonly token: string }> {
  const authorization = call.header("authorization");
  if (authorization === undefined) {
    throw new GatewayError("auth.missing_credentials", "Send the gateway's token as `Authorization: Bearer …`.");
  }
  const token = bearerToken(authorization);
  const known = token === undefined ? undefined : await findGatewayToken(call.context, token);
  if (token === undefined || known === undefined) {
    throw new GatewayError("auth.invalid_credentials", "This is no live token of a gateway. An admin can add one.");
  }
  return { ...known, token };
}

function tagOf(version: string): string {
  return `"${version}"`;
}

function seenVersion(tag: string | undefined): string | undefined {
  return tag === undefined ? undefined : /^(?:W\/)?"([\w.-]{1,64})"$/.exec(tag)?.[1];
}

const feedSchema = z.strictObject({
  format: z.literal(1),
  type: z.enum(["whole", "changes"]),
  version: z.string(),
  messages: z.array(z.looseObject({ type: z.string() })),
  sealed: z.looseObject({ from: z.string() }).meta({ description: "Secrets, for the key that was sent." }),
});
const feed = schemaComponent("GatewayFeed", feedSchema, "output");

const time = z.number().min(0).max(8.64e15);
const name = z.string().max(500);
const mostUses = 200_000;
const mostUpstreams = 20_000;

// Not strict: a gateway of a newer version may see more, and what is not known here is left out.
const upstreamSchema = z.object({
  apiKind: name,
  apiName: name,
  apiId: name,
  environment: z.enum(["production", "sandbox"]),
  target: name,
  state: z.enum(["closed", "open", "half-open"]),
  failures: z.int().min(0),
  sinceMs: time.nullable(),
  retryAtMs: time.nullable(),
  lastSuccessMs: time.nullable(),
  lastFailure: z.strictObject({ atMs: time, code: name }).nullable(),
  lastProbe: z.strictObject({ atMs: time, failure: z.string().max(2_000).nullable() }).nullable(),
});

const reportSchema = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("mcp.seen"),
    apiId: name,
    environment: z.enum(["production", "sandbox"]),
    seen: z
      .array(
        z.strictObject({
          kind: z.enum(pinKinds),
          name: z.string().max(4_096),
          definition: z.record(z.string(), z.unknown()),
        }),
      )
      .max(1_000),
    isRefresh: z.literal(true).optional(),
  }),
  z.strictObject({
    type: z.literal("credentials.used"),
    used: z.array(z.strictObject({ keyId: z.string().max(100), atMs: time })).max(mostUses),
  }),
  z.strictObject({
    type: z.literal("upstreams"),
    node: z.string().min(1).max(256),
    upstreams: z.array(upstreamSchema).max(mostUpstreams),
  }),
]);
const report = schemaComponent("GatewayReport", reportSchema, "input");
