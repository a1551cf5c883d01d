import { z } from "zod";
import { registerScopes, scopesInputSchema, testKeyManager } from "../core/manage-key-manager.ts";
import { rotateSigningKey } from "../core/signing-keys.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute, emptyAnswer, jsonAnswer, nameOf } from "./control-route.ts";
import { schemaComponent } from "./schema-component.ts";

/** What can be done with key managers beside keeping them. */
export function keyManagerRoutes(): readonly ControlRoute[] {
  return [
    defineRoute({
      tag: "KeyManager",
      method: "post",
      path: "/api/v1/key-managers/{name}/test",
      operationId: "testKeyManager",
      access: { permission: "key-managers:write" },
      summary: "Try the connection: changes nothing at the server",
      answers: { 200: { description: "What came of each step; `ok` says whether all went well.", schema: testView } },
      handle: async (call) => jsonAnswer(200, await testKeyManager(call.context, nameOf(call))),
    }),
    defineRoute({
      tag: "KeyManager",
      method: "post",
      path: "/api/v1/key-managers/{name}/scopes",
      operationId: "registerScopes",
      access: { permission: "key-managers:write" },
      summary: "Make scopes and their roles at the server",
      body: schemaComponent("ScopesInput", scopesInputSchema, "input"),
      answers: { 204: { description: "They are there." } },
      async handle(call) {
        await registerScopes(call.context, call.actor, nameOf(call), await call.body());
        return emptyAnswer();
      },
    }),
    defineRoute({
      tag: "KeyManager",
      method: "post",
      path: "/api/v1/key-managers/resident/rotate",
      operationId: "rotateSigningKey",
      access: { permission: "key-managers:write" },
      summary: "Make a new signing key, which signs after an overlap; tokens of the old one stay valid",
      query: z.strictObject({
        overlapSeconds: z.coerce.number().int().min(0).max(604_800).optional().meta({
          title: "Overlap",
          description:
            "Seconds for which it is only published, so that everybody has it in time; the configured ones when absent.",
        }),
      }),
      answers: { 200: { description: "The new key, and all that are published.", schema: rotatedView } },
      async handle({ context, actor, query: { overlapSeconds } }) {
        const options = overlapSeconds === undefined ? {} : { overlapSeconds };
        return jsonAnswer(200, await rotateSigningKey(context, actor, undefined, options));
      },
    }),
  ];
}

const rotatedView = schemaComponent(
  "RotatedSigningKey",
  z.strictObject({
    kid: z.string().meta({ description: "The id of the new key." }),
    signsFrom: z.iso.datetime().meta({ description: "When it signs; the one before does until then." }),
    published: z.array(z.string()).meta({ description: "Ids of every key that checks tokens, oldest first." }),
  }),
  "output",
);

const testView = schemaComponent(
  "ConnectionTest",
  z.strictObject({
    ok: z.boolean(),
    steps: z.array(
      z.strictObject({
        name: z.enum(["configuration", "discovery", "keys", "token", "clients", "scopes"]),
        ok: z.boolean(),
        detail: z.string().meta({ description: "What was found, or what went wrong. Holds no credential." }),
      }),
    ),
  }),
  "output",
);
