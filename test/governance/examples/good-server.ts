const bounded = { type: "string", description: "The customer's number.", maxLength: 20 };

/** A tool that keeps to every guideline. */
export const goodTool = {
  name: "orders_list",
  description: "Lists the orders of a customer, the newest first.",
  annotations: { readOnlyHint: true },
  inputSchema: {
    type: "object",
    additionalProperties: false,
    required: ["customer"],
    properties: { customer: bounded },
  },
  outputSchema: { type: "object", properties: { orders: { type: "array" } } },
};

/** A server that keeps to every guideline. */
export const goodServer = {
  apiVersion: "gatehouse/v1",
  kind: "McpServer",
  metadata: {
    name: "orders",
    labels: {
      "business-owner": "Ada",
      "business-owner-email": "ada@example.com",
      "technical-owner": "Grace",
      "technical-owner-email": "grace@example.com",
    },
  },
  spec: {
    context: "/orders",
    version: "1.0",
    description: "Orders of the shop.",
    security: { keyless: false, apiKey: {} },
    upstream: { production: { url: "https://orders.example.com/mcp", transport: "streamable-http" } },
    pins: { mode: "quarantine" },
    authorization: { default: "deny", rules: [] },
  },
  tools: [goodTool],
  prompts: [
    { name: "reorder", description: "Orders again.", arguments: [{ name: "order", description: "Which one." }] },
  ],
  resources: [{ uri: "orders://terms", name: "terms", description: "Terms of sale.", mimeType: "text/plain" }],
  resourceTemplates: [],
  instructions: "Ask for the customer's number first.",
};

/** The good server with another name. */
export const named = (name: string) => ({ ...goodServer, metadata: { ...goodServer.metadata, name } });

/** The good server with other labels beside its own; undefined takes one away. */
export function labelled(labels: Readonly<Record<string, string | undefined>>): object {
  return { ...goodServer, metadata: { ...goodServer.metadata, labels: { ...goodServer.metadata.labels, ...labels } } };
}

/** The good server with other members of its `spec`. */
export const withSpec = (spec: object) => ({ ...goodServer, spec: { ...goodServer.spec, ...spec } });

/** The good server with its tool made otherwise. */
export const withTool = (tool: object) => ({ ...goodServer, tools: [{ ...goodTool, ...tool }] });

/** The good server, whose tool takes these arguments. */
export function withArguments(properties: object, more: object = {}): object {
  return withTool({ inputSchema: { type: "object", additionalProperties: false, properties, ...more } });
}
