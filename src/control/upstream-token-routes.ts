import { z } from "zod";
import { sealForAsker } from "../core/feed-seal.ts";
import type { UpstreamTokenQuestion } from "../core/upstream-tokens.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute, jsonAnswer } from "./control-route.ts";
import { feedKeyHeader, requireGateway } from "./gateway-feed-routes.ts";
import { parseInput } from "./parse-input.ts";
import { schemaComponent } from "./schema-component.ts";

/** What gateway processes ask of the tokens that people have consented to. They change too often for the feed. */
export function upstreamTokenRoutes(): readonly ControlRoute[] {
  return [questionRoute()];
}

function questionRoute(): ControlRoute {
  return defineRoute({
    access: "gateway",
    tag: "Gateway process",
    method: "post",
    path: "/api/v1/gateway-upstream-tokens",
    operationId: "askUpstreamToken",
    summary: "A token of somebody's at an MCP server, or where they consent to one",
    body: schemaComponent("UpstreamTokenQuestion", questionSchema, "input"),
    answers: { 200: { description: "Sealed for the asker, as the secrets of the feed are.", schema: answer } },
    async handle(call) {
      const { token } = await requireGateway(call);
      const { upstreamTokens } = call.context;
      if (upstreamTokens === undefined) {
        throw new GatewayError("route.not_served", "This control plane has no vault of upstream tokens.");
      }
      const asker = call.header(feedKeyHeader);
      if (asker === undefined) {
        throw new GatewayError("request.invalid", `Send a public key in \`${feedKeyHeader}\`, X25519 in base64url.`);
      }
      const asked = parseInput(questionSchema, await call.body(), { code: "request.invalid" });
      // The schema is looser in one point only: it may leave out what the type wants as `undefined`.
      const found = await upstreamTokens.ask(asked as UpstreamTokenQuestion);
      return jsonAnswer(200, { sealed: sealForAsker(JSON.stringify(found), asker, token) });
    },
  });
}

const text = (most: number) => z.string().max(most);

const holderSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("user"), keyManagerId: text(100), subject: text(1_000) }),
  z.strictObject({ type: z.literal("application"), applicationId: text(100) }),
]);

const questionSchema = z.strictObject({
  apiId: text(100),
  environment: z.enum(["production", "sandbox"]),
  holder: holderSchema,
  client: text(2_000),
  refusal: z
    .strictObject({
      status: z.union([z.literal(401), z.literal(403)]),
      resourceMetadata: text(2_000).optional(),
      scopes: z.array(text(200)).max(100).optional(),
    })
    .optional(),
  refusedVersion: text(200).optional(),
});

const answer = schemaComponent(
  "UpstreamTokenAnswer",
  z.strictObject({ sealed: z.looseObject({ from: z.string() }) }),
  "output",
);
