import { z } from "zod";
import type { GatewayTokenView } from "../core/gateway-tokens.ts";
import { addGatewayToken, listGatewayTokens, revokeGatewayToken } from "../core/gateway-tokens.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute, emptyAnswer, jsonAnswer, nameOf } from "./control-route.ts";
import { schemaComponent } from "./schema-component.ts";

/** Tokens of gateway processes: at most two live ones each, so that one is added, moved to, and the other revoked. */
export function gatewayTokenRoutes(): readonly ControlRoute[] {
  return [
    defineRoute({
      ...common,
      method: "get",
      path: collection,
      operationId: "listGatewayTokens",
      access: { permission: "gateways:read" },
      summary: "List the live tokens of a gateway, without their values",
      answers: { 200: { description: "Oldest first.", schema: tokens } },
      async handle({ context, params }) {
        return jsonAnswer(200, { items: (await listGatewayTokens(context, nameOf({ params }))).map(shown) });
      },
    }),
    defineRoute({
      ...common,
      method: "post",
      path: collection,
      operationId: "addGatewayToken",
      access: { permission: "gateways:write" },
      summary: "Make a token for a gateway's process; a gateway has at most two",
      answers: { 201: { description: "With its value, this once.", schema: madeToken } },
      async handle({ context, actor, params }) {
        const { token, view } = await addGatewayToken(context, actor, nameOf({ params }));
        return jsonAnswer(201, { ...shown(view), token });
      },
    }),
    defineRoute({
      ...common,
      method: "delete",
      path: `${collection}/{id}`,
      operationId: "revokeGatewayToken",
      access: { permission: "gateways:write" },
      summary: "End a token; the process that has it hears no more",
      answers: { 204: { description: "Ended." } },
      async handle({ context, actor, params }) {
        await revokeGatewayToken(context, actor, nameOf({ params }), params["id"] ?? "");
        return emptyAnswer();
      },
    }),
  ];
}

const collection = "/api/v1/gateways/{name}/tokens";
const common = { tag: "Gateway" } as const;

/** A token as every answer but the first shows it. */
export const gatewayTokenSchema = z.strictObject({ id: z.string(), createdAt: z.iso.datetime() });

/** A token just made. */
export const madeGatewayTokenSchema = gatewayTokenSchema.extend({
  token: z.string().meta({ description: "Shown this once. Put it into a file that only the gateway reads." }),
});
const madeToken = schemaComponent("MadeGatewayToken", madeGatewayTokenSchema, "output");
/** The tokens of one gateway. */
export const gatewayTokensSchema = z.strictObject({ items: z.array(gatewayTokenSchema) });
const tokens = schemaComponent("GatewayTokens", gatewayTokensSchema, "output");

function shown({ id, createdAtMs }: GatewayTokenView): z.output<typeof gatewayTokenSchema> {
  return { id, createdAt: new Date(createdAtMs).toISOString() };
}
