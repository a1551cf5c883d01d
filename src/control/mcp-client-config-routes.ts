import { z } from "zod";
import { keyNeedOf, mcpClientConfig, mcpClients } from "../core/mcp-client-config.ts";
import { mcpServer } from "../core/mcp-server.ts";
import { resourceIdentifier } from "../core/resource-identifier.ts";
import { getResource } from "../core/resources.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute, jsonAnswer, nameOf } from "./control-route.ts";
import { schemaComponent } from "./schema-component.ts";

const configSchema = z.strictObject({
  client: z.enum(mcpClients),
  title: z.string(),
  file: z.string().meta({ description: "Where it belongs, in the project or below the home directory." }),
  format: z.enum(["json", "toml"]),
  text: z.string().meta({ description: "The file's whole content, where the client has no other servers." }),
  variable: z.string().nullable().meta({ description: "The variable that is to hold the key." }),
});

const querySchema = z.strictObject({
  client: z.enum(mcpClients).meta({ description: "Whose configuration." }),
  auth: z.enum(["key", "none"]).optional().meta({
    description: "`none`: without a key, for servers whose clients log in. Absent: a key where the server takes any.",
  }),
});

/** Ready-made configuration of clients for a deployed MCP server. */
export function mcpClientConfigRoutes(): readonly ControlRoute[] {
  return [
    defineRoute({
      tag: "McpServer",
      method: "get",
      path: "/api/v1/mcp-servers/{name}/client-config",
      operationId: "getMcpClientConfig",
      access: { permission: "apis:read" },
      summary: "What goes into the configuration of a client so that it uses the server; never a key",
      query: querySchema,
      answers: {
        200: {
          description: "The file and its content.",
          schema: schemaComponent("McpClientConfig", configSchema, "output"),
        },
      },
      async handle(call) {
        const { context, options, query } = call;
        const resource = await getResource(context, mcpServer, nameOf(call));
        const deployment = await context.catalog.read.deployments.find(resource.id);
        const revision = deployment && (await context.catalog.read.revisions.find(resource.id, deployment.revision));
        const spec = mcpServer.spec.safeParse(revision?.spec).data;
        if (deployment === undefined || spec === undefined) {
          throw new GatewayError("resource.conflict", `McpServer/${resource.name} is not deployed; publish it first.`);
        }
        const url = resourceIdentifier(options.gatewayUrl, { kind: mcpServer.kind, context: deployment.context });
        const isKeyShown = query.auth !== "none" && keyNeedOf(spec.security) !== "none";
        const credential = isKeyShown ? "placeholder" : "none";
        return jsonAnswer(200, mcpClientConfig(query.client, { name: resource.name, url, credential }));
      },
    }),
  ];
}
