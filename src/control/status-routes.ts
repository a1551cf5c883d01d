import { z } from "zod";
import { buildArtifactSet } from "../core/artifact-set.ts";
import { expiringCredentials } from "../core/expiring-credentials.ts";
import type { SeenUpstream } from "../core/upstream-health.ts";
import { errorCodes } from "../kernel/error-codes.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute, jsonAnswer } from "./control-route.ts";
import { schemaComponent } from "./schema-component.ts";

/** What runs here, and the list of errors. */
export function statusRoutes(): readonly ControlRoute[] {
  return [
    defineRoute({
      method: "get",
      path: "/api/v1/status",
      tag: "Installation",
      operationId: "getStatus",
      access: { permission: "installation:read" },
      summary: "Version, addresses and the hash of the live configuration",
      answers: { 200: { description: "The installation.", schema: status } },
      async handle({ context, options: { version, gatewayUrl, controlUrl, servedKinds, ready } }) {
        const { hash } = await buildArtifactSet(context.catalog.read);
        return jsonAnswer(200, { version, configHash: hash, ready: ready(), gatewayUrl, controlUrl, servedKinds });
      },
    }),
    defineRoute({
      method: "get",
      path: "/api/v1/upstreams",
      tag: "Installation",
      operationId: "listUpstreams",
      access: { permission: "operations:read" },
      summary: "How the targets of deployed APIs are, as each gateway sees them",
      answers: { 200: { description: "Every target; a gateway reports within seconds.", schema: upstreams } },
      async handle({ context, options: { clock } }) {
        return jsonAnswer(200, { items: (context.upstreams?.list(clock.now()) ?? []).map(viewOf) });
      },
    }),
    defineRoute({
      method: "get",
      path: "/api/v1/expiring-credentials",
      tag: "Installation",
      operationId: "listExpiringCredentials",
      access: { permission: "operations:read" },
      summary: "API keys and client secrets that end within `oauth.expiryWarningDays`, soonest first",
      answers: { 200: { description: "At most 200 of each kind.", schema: expiring } },
      async handle({ context }) {
        const found = await expiringCredentials(context);
        const items = found.map(({ kind, name, id, expiresAtMs, lastUsedAtMs }) => {
          const lastUsedAt = lastUsedAtMs === null ? null : new Date(lastUsedAtMs).toISOString();
          return { kind, name, id, expiresAt: new Date(expiresAtMs).toISOString(), lastUsedAt };
        });
        return jsonAnswer(200, { items });
      },
    }),
    defineRoute({
      method: "get",
      path: "/api/v1/problems",
      access: "public",
      tag: "Installation",
      operationId: "listProblems",
      summary: "Every error code; a problem's `type` leads here",
      answers: { 200: { description: "Status, title and whether trying again may help, by code.", schema: problems } },
      handle: async () => jsonAnswer(200, errorCodes),
    }),
  ];
}

/** What the status answers. */
export const statusSchema = z.strictObject({
  version: z.string(),
  configHash: z.string().meta({ description: "Names the whole live configuration; analytics rows carry it." }),
  ready: z.boolean(),
  gatewayUrl: z.url(),
  controlUrl: z.url(),
  servedKinds: z.array(z.string()).meta({ description: "Kinds of API that the gateway serves." }),
});
const status = schemaComponent("Status", statusSchema, "output");

const time = z.iso.datetime().nullable();

/** Keys and secrets that end soon. */
export const expiringCredentialsSchema = z.strictObject({
  items: z.array(
    z.strictObject({
      kind: z.enum(["ApiKey", "OauthClientSecret"]),
      name: z.string().meta({ description: "The key's name; of a secret `application/client`." }),
      id: z.string(),
      expiresAt: z.iso.datetime(),
      lastUsedAt: time,
    }),
  ),
});
const expiring = schemaComponent("ExpiringCredentials", expiringCredentialsSchema, "output");

/** The health of all targets. */
export const upstreamsSchema = z.strictObject({
  items: z.array(
    z.strictObject({
      node: z.string().meta({ description: "The gateway that saw it." }),
      reportedAt: z.iso.datetime(),
      apiKind: z.string(),
      apiName: z.string(),
      apiId: z.string(),
      environment: z.enum(["production", "sandbox"]),
      target: z.string(),
      state: z.enum(["closed", "open", "half-open"]).meta({
        description: "Of its breaker: `open` is left alone, `half-open` is tried by one request at a time.",
      }),
      failures: z.int().meta({ description: "In a row, while closed." }),
      since: time.meta({ description: "When the state began; null when it has been so from the start." }),
      retryAt: time.meta({ description: "From when on an open one may be tried." }),
      lastSuccessAt: time,
      lastFailure: z.strictObject({ at: z.iso.datetime(), code: z.string() }).nullable(),
      lastProbe: z.strictObject({ at: z.iso.datetime(), failure: z.string().nullable() }).nullable(),
    }),
  ),
});
const upstreams = schemaComponent("Upstreams", upstreamsSchema, "output");

type UpstreamView = z.output<typeof upstreamsSchema>["items"][number];

function viewOf(seen: SeenUpstream): UpstreamView {
  const { reportedAtMs, sinceMs, retryAtMs, lastSuccessMs, lastFailure, lastProbe, ...rest } = seen;
  return {
    ...rest,
    reportedAt: iso(reportedAtMs),
    since: sinceMs === null ? null : iso(sinceMs),
    retryAt: retryAtMs === null ? null : iso(retryAtMs),
    lastSuccessAt: lastSuccessMs === null ? null : iso(lastSuccessMs),
    lastFailure: lastFailure && { at: iso(lastFailure.atMs), code: lastFailure.code },
    lastProbe: lastProbe && { at: iso(lastProbe.atMs), failure: lastProbe.failure },
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

const problemsSchema = z.record(z.string(), z.strictObject({ status: z.int(), title: z.string(), retry: z.boolean() }));
const problems = schemaComponent("Problems", problemsSchema, "output");
