import type { TestGatehouse } from "../../../kit/gatehouse.ts";
import { rawHttp } from "../../../kit/raw-http.ts";
import type { PublishedServer } from "../published-server.ts";
import { keyFor, modernVersion } from "../published-server.ts";

/** A description of pets, with whatever a tool may meet. */
export function petsDescription(more: object = {}): Readonly<Record<string, unknown>> {
  const pet = {
    type: "object",
    required: ["id", "name"],
    properties: { id: { type: "integer" }, name: { type: "string" } },
  };
  const id = { name: "petId", in: "path", required: true, schema: { type: "string" } };
  const answer = { 200: { description: "A pet.", content: { "application/json": { schema: pet } } } };
  return {
    openapi: "3.1.0",
    info: { title: "Pets", version: "1.0", description: "Pets of all kinds." },
    paths: {
      "/pets": {
        get: {
          operationId: "listPets",
          tags: ["pets"],
          summary: "List pets",
          parameters: [{ name: "limit", in: "query", schema: { type: "integer", maximum: 100 } }],
          responses: { 200: { description: "Text.", content: { "text/plain": {} } } },
        },
        post: {
          operationId: "addPet",
          tags: ["pets"],
          requestBody: { required: true, content: { "application/json": { schema: pet } } },
          responses: answer,
        },
      },
      "/pets/{petId}": {
        get: { operationId: "getPet", tags: ["pets"], parameters: [id], responses: answer },
        put: {
          operationId: "changePet",
          parameters: [id],
          requestBody: { content: { "application/json": { schema: { type: "object" } } } },
          responses: { 204: { description: "Done." } },
        },
        delete: { operationId: "removePet", parameters: [id], responses: { 204: { description: "Done." } } },
      },
    },
    ...more,
  };
}

/** Publishes an MCP server at `/{name}` that is made of a description, with a key for it. */
export async function publishTools(
  gatehouse: TestGatehouse,
  name: string,
  openapi: object,
  spec: object = {},
): Promise<PublishedServer> {
  await gatehouse.put("McpServer", name, { context: `/${name}`, openapi, ...spec });
  const key = await keyFor(gatehouse, name);
  const url = `${gatehouse.running.gatewayUrl}/${name}/mcp`;
  return {
    url,
    key,
    post(message, { era = "modern", key: other = key, headers = {} } = {}) {
      const { method = "", params = {} } = message as { method?: string; params?: { name?: string } }; // tests write whole messages
      return rawHttp(url, {
        headers: {
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
          ...(era === "legacy"
            ? { "mcp-protocol-version": "2025-11-25" }
            : {
                "mcp-protocol-version": modernVersion,
                "mcp-method": method,
                ...(params.name !== undefined && { "mcp-name": params.name }),
              }),
          ...(other !== null && { authorization: `Bearer ${other}` }),
          ...headers,
        },
        body: JSON.stringify(message),
      });
    },
  };
}

/** A request of the modern era. */
export function modernRequest(id: number, method: string, params: object = {}): object {
  const meta = {
    "io.modelcontextprotocol/protocolVersion": modernVersion,
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  return { jsonrpc: "2.0", id, method, params: { ...params, _meta: meta } };
}

/** The names in a result of `tools/list`. */
export function toolNames(result: Readonly<Record<string, unknown>> | undefined): readonly string[] {
  return ((result?.["tools"] ?? []) as { name: string }[]).map(({ name }) => name); // as MCP has it
}
