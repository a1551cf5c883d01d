import type { ResourceKind } from "../core/resource.ts";
import { nameSchema } from "../core/resource.ts";
import { createResource, deleteResource, getResource, listResources, replaceResource } from "../core/resources.ts";
import { kindPermissions } from "../core/roles.ts";
import type { ControlCall, ControlRoute } from "./control-route.ts";
import { defineRoute, emptyAnswer, jsonAnswer, nameOf } from "./control-route.ts";
import { entityTag, expectedVersion } from "./entity-tag.ts";
import { pageAnswer, pageQuery, pageRequest } from "./page-query.ts";
import { deploymentStatus, deploymentStatusSchema, resourceViews, teamFilter } from "./resource-view.ts";
import type { SchemaComponent } from "./schema-component.ts";
import { kindComponents, pageComponent, schemaComponent, schemaReference } from "./schema-component.ts";

/** List, create, read, replace and delete, for one kind. */
export function resourceRoutes(kind: ResourceKind): readonly ControlRoute[] {
  return [listRoute(kind), createRoute(kind), readRoute(kind), replaceRoute(kind), deleteRoute(kind)];
}

const listQuery = pageQuery.extend({
  team: nameSchema.optional().meta({ title: "Team", description: "Only what this team owns." }),
});

function listRoute(kind: ResourceKind): ControlRoute {
  return defineRoute({
    tag: kind.kind,
    method: "get",
    path: collectionOf(kind),
    operationId: `list${kind.kind}s`,
    access: { permission: kindPermissions(kind.kind).read },
    summary: `List: ${kind.title}`,
    query: listQuery,
    answers: {
      200: {
        description: "A page, in the order of creation.",
        schema: pageComponent(kindComponents(kind).view),
        headers: ["Link"],
      },
    },
    async handle({ context, query, url }) {
      const filter = await teamFilter(context, query.team);
      const { rows, next } = await listResources(context, kind, filter, pageRequest(query));
      return pageAnswer(url, await resourceViews(context, rows), next);
    },
  });
}

function createRoute(kind: ResourceKind): ControlRoute {
  const { input, view } = kindComponents(kind);
  return defineRoute({
    tag: kind.kind,
    method: "post",
    path: collectionOf(kind),
    operationId: `create${kind.kind}`,
    access: { permission: kindPermissions(kind.kind).write },
    summary: `Create: ${kind.title}`,
    body: input,
    answers: { 201: { description: "Created.", schema: view, headers: ["Location", "ETag"] } },
    async handle({ context, actor, body }) {
      const resource = await createResource(context, actor, kind, await body());
      const [created] = await resourceViews(context, [resource]);
      const location = `${collectionOf(kind)}/${resource.name}`;
      return jsonAnswer(201, created, { location, etag: entityTag(resource.version) });
    },
  });
}

function readRoute(kind: ResourceKind): ControlRoute {
  const { view } = kindComponents(kind);
  const schema = kind.live === "revision" ? withStatus(view) : view;
  return defineRoute({
    tag: kind.kind,
    method: "get",
    path: `${collectionOf(kind)}/{name}`,
    operationId: `get${kind.kind}`,
    access: { permission: kindPermissions(kind.kind).read },
    summary: `Read: ${kind.title}`,
    answers: { 200: { description: "The resource.", schema, headers: ["ETag"] } },
    async handle(call) {
      const resource = await getResource(call.context, kind, nameOf(call));
      const [found] = await resourceViews(call.context, [resource]);
      const status = await deploymentStatus(call.options, kind, resource);
      return jsonAnswer(200, { ...found, status }, { etag: entityTag(resource.version) });
    },
  });
}

function replaceRoute(kind: ResourceKind): ControlRoute {
  const { input, view } = kindComponents(kind);
  return defineRoute({
    tag: kind.kind,
    method: "put",
    path: `${collectionOf(kind)}/{name}`,
    operationId: `replace${kind.kind}`,
    access: { permission: kindPermissions(kind.kind).write },
    summary: `Replace: ${kind.title}`,
    body: input,
    ifMatch: "required",
    answers: { 200: { description: "Replaced.", schema: view, headers: ["ETag"] } },
    async handle(call) {
      const seen = await expectedVersion(call.ifMatch, currentVersion(call, kind));
      const resource = await replaceResource(call.context, call.actor, kind, nameOf(call), await call.body(), seen);
      const [replaced] = await resourceViews(call.context, [resource]);
      return jsonAnswer(200, replaced, { etag: entityTag(resource.version) });
    },
  });
}

function deleteRoute(kind: ResourceKind): ControlRoute {
  return defineRoute({
    tag: kind.kind,
    method: "delete",
    path: `${collectionOf(kind)}/{name}`,
    operationId: `delete${kind.kind}`,
    access: { permission: kindPermissions(kind.kind).write },
    summary: `Delete: ${kind.title}`,
    ifMatch: "required",
    answers: { 204: { description: "Deleted." } },
    async handle(call) {
      const seen = await expectedVersion(call.ifMatch, currentVersion(call, kind));
      await deleteResource(call.context, call.actor, kind, nameOf(call), seen);
      return emptyAnswer();
    },
  });
}

function collectionOf(kind: ResourceKind): string {
  return `/api/v1/${kind.path}`;
}

function currentVersion(call: ControlCall, kind: ResourceKind): () => Promise<number> {
  return async () => (await getResource(call.context, kind, nameOf(call))).version;
}

const statusComponent = schemaComponent("DeploymentStatus", deploymentStatusSchema, "output");

function withStatus(view: SchemaComponent): SchemaComponent {
  return {
    name: `${view.name}WithStatus`,
    uses: [view, statusComponent],
    json: {
      allOf: [schemaReference(view), { type: "object", properties: { status: schemaReference(statusComponent) } }],
    },
  };
}
