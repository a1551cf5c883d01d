import { z } from "zod";
import { maskInline } from "../core/inline-secrets.ts";
import { deployRevision, listRevisions, publishApi, undeployApi } from "../core/publishing.ts";
import type { ResourceKind } from "../core/resource.ts";
import { getResource } from "../core/resources.ts";
import type { ControlCall, ControlRoute } from "./control-route.ts";
import { defineRoute, emptyAnswer, jsonAnswer, nameOf } from "./control-route.ts";
import { heededVersion } from "./entity-tag.ts";
import { pageAnswer, pageQuery, pageRequest } from "./page-query.ts";
import { parseInput } from "./parse-input.ts";
import { pageComponent, schemaComponent } from "./schema-component.ts";

/** Publish, deploy, undeploy and the revisions, for one kind of API. */
export function publishingRoutes(kind: ResourceKind): readonly ControlRoute[] {
  return [publishRoute(kind), deployRoute(kind), undeployRoute(kind), revisionsRoute(kind)];
}

/** What publishing and deploying answer. */
export const deployedSchema = z.strictObject({
  revision: z.int(),
  changed: z.boolean().meta({ description: "False when this revision was live before." }),
  configHash: z.string().meta({ description: "Names the whole live configuration; analytics rows carry it." }),
});

/** One item of the list of revisions. */
export const revisionSchema = z.strictObject({
  revision: z.int(),
  specHash: z.string().meta({ description: "SHA-256 of the RFC 8785 form of the spec, hex." }),
  createdAt: z.iso.datetime(),
  createdBy: z.string(),
  spec: z.unknown(),
});

const deploySchema = z.strictObject({
  revision: z.int().min(1).max(Number.MAX_SAFE_INTEGER).meta({ title: "Revision", description: "Its number." }),
});

const deployed = schemaComponent("Deployed", deployedSchema, "output");
const deployBody = schemaComponent("Deploy", deploySchema, "input");
const revision = schemaComponent("Revision", revisionSchema, "output");

function publishRoute(kind: ResourceKind): ControlRoute {
  return defineRoute({
    tag: kind.kind,
    method: "post",
    path: `${oneOf(kind)}/publish`,
    operationId: `publish${kind.kind}`,
    access: { permission: "apis:publish" },
    summary: `Make a revision of the draft, unless the latest equals it, and deploy it: ${kind.title}`,
    ifMatch: "optional",
    answers: { 200: { description: "The deployed revision.", schema: deployed } },
    async handle(call) {
      const seen = await heededVersion(call.ifMatch, draftVersion(call, kind));
      return jsonAnswer(200, await publishApi(call.context, call.actor, kind, nameOf(call), seen));
    },
  });
}

function deployRoute(kind: ResourceKind): ControlRoute {
  return defineRoute({
    tag: kind.kind,
    method: "post",
    path: `${oneOf(kind)}/deploy`,
    operationId: `deploy${kind.kind}`,
    access: { permission: "apis:publish" },
    summary: `Deploy a revision, an older one too: ${kind.title}`,
    body: deployBody,
    ifMatch: "optional",
    answers: { 200: { description: "The deployed revision.", schema: deployed } },
    async handle(call) {
      const { revision } = parseInput(deploySchema, await call.body(), { code: "resource.invalid" });
      const seen = await heededVersion(call.ifMatch, draftVersion(call, kind));
      return jsonAnswer(200, await deployRevision(call.context, call.actor, kind, nameOf(call), revision, seen));
    },
  });
}

function undeployRoute(kind: ResourceKind): ControlRoute {
  return defineRoute({
    tag: kind.kind,
    method: "post",
    path: `${oneOf(kind)}/undeploy`,
    operationId: `undeploy${kind.kind}`,
    access: { permission: "apis:publish" },
    summary: `Take off the gateways; revisions, keys and subscriptions stay: ${kind.title}`,
    ifMatch: "optional",
    answers: { 204: { description: "Not deployed any more." } },
    async handle(call) {
      const seen = await heededVersion(call.ifMatch, draftVersion(call, kind));
      await undeployApi(call.context, call.actor, kind, nameOf(call), seen);
      return emptyAnswer();
    },
  });
}

function revisionsRoute(kind: ResourceKind): ControlRoute {
  return defineRoute({
    tag: kind.kind,
    method: "get",
    path: `${oneOf(kind)}/revisions`,
    operationId: `list${kind.kind}Revisions`,
    access: { permission: "apis:read" },
    summary: `List the revisions: ${kind.title}`,
    query: pageQuery,
    answers: { 200: { description: "A page.", schema: pageComponent(revision), headers: ["Link"] } },
    async handle({ context, params, query, url }) {
      const { rows, next } = await listRevisions(context, kind, nameOf({ params }), pageRequest(query));
      const items = rows.map(({ number, spec, specHash, createdAtMs, createdBy }) => ({
        revision: number,
        specHash,
        createdAt: new Date(createdAtMs).toISOString(),
        createdBy,
        spec: maskInline(spec),
      }));
      return pageAnswer(url, items, next);
    },
  });
}

function draftVersion(call: ControlCall, kind: ResourceKind): () => Promise<number> {
  return async () => (await getResource(call.context, kind, nameOf(call))).version;
}

function oneOf(kind: ResourceKind): string {
  return `/api/v1/${kind.path}/{name}`;
}
