import { goodServer, goodTool, labelled, named, withArguments, withSpec, withTool } from "./good-server.ts";

const upstream = (production: object) => withSpec({ upstream: { production } });
const url = "https://orders.example.com/mcp";
const { version: _version, ...unversioned } = goodServer.spec;
const { context: _context, ...nowhere } = goodServer.spec;
const { pins: _pins, ...unpinned } = goodServer.spec;
const { annotations: _hints, ...unhinted } = goodTool;
const { outputSchema: _output, ...silent } = goodTool;
const { inputSchema: _input, ...taking } = goodTool;
const { description: _description, ...undescribed } = goodTool;
const tools = (...list: readonly object[]) => ({ ...goodServer, tools: list });
const many = (count: number, description: string) =>
  Array.from({ length: count }, (_, at) => ({
    ...goodTool,
    name: `tool_${at}`,
    description: `${description} Nothing else is like number ${at}, ${at * 7} and ${at * 13}, nor ${at + 1000} words.`,
  }));
const deep = (level: number): object =>
  level === 0
    ? { type: "boolean", description: "The end." }
    : { type: "object", description: "A level.", properties: { next: deep(level - 1) } };

/** For each rule of `gatehouse:mcp` a server that breaks it. */
export const brokenGuidelines: Readonly<Record<string, object>> = {
  "mcp-name-required": { ...goodServer, metadata: { labels: goodServer.metadata.labels } },
  "mcp-name-no-special-characters": named("orders/shop"),
  "mcp-name-length": named("o".repeat(51)),
  "mcp-name-cannot-contain-version": named("orders-v2"),
  "mcp-context-required": { ...goodServer, spec: nowhere },
  "mcp-context-no-special-characters": withSpec({ context: "/orders shop" }),
  "mcp-context-length": withSpec({ context: `/${"o".repeat(200)}` }),
  "mcp-context-cannot-end-with-slash": withSpec({ context: "/orders/" }),
  "mcp-context-cannot-contain-version": withSpec({ context: "/orders/v2" }),
  "mcp-version-required": { ...goodServer, spec: unversioned },
  "mcp-server-described": withSpec({ description: "" }),
  "mcp-tags": { ...goodServer, metadata: { name: "orders" } },
  "mcp-tags-count": labelled(Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`label-${at}`, "yes"]))),
  "mcp-business-owner": labelled({ "business-owner": undefined }),
  "mcp-business-owner-email": labelled({ "business-owner-email": undefined }),
  "mcp-business-owner-email-format": labelled({ "business-owner-email": "ada" }),
  "mcp-technical-owner": labelled({ "technical-owner": undefined }),
  "mcp-technical-owner-email": labelled({ "technical-owner-email": undefined }),
  "mcp-technical-owner-email-format": labelled({ "technical-owner-email": "grace@" }),
  "mcp-resources-security-required": withSpec({ security: { keyless: true } }),
  "mcp-no-insecure-transports": upstream({ url: "http://orders.example.com/mcp" }),
  "mcp-current-transport": upstream({ url, transport: "http+sse" }),
  "mcp-pins-on": { ...goodServer, spec: unpinned },
  "mcp-destructive-tools-guarded": {
    ...withTool({ name: "orders_purge", annotations: { destructiveHint: true } }),
    spec: { ...goodServer.spec, authorization: { default: "allow", rules: [{ on: { tools: ["orders_list"] } }] } },
  },
  "mcp-tool-name-character-length": withTool({ name: "o".repeat(129) }),
  "mcp-tool-name-allowed-characters": withTool({ name: "orders list" }),
  "mcp-tool-name-model-length": withTool({ name: "o".repeat(65) }),
  "mcp-tool-names-unique": tools(goodTool, { ...goodTool, name: "ordersList", description: "Shows what was bought." }),
  "mcp-operations-description-defined": tools(undescribed),
  "mcp-operations-description-provided": withTool({ description: " " }),
  "mcp-tool-description-length": withTool({ description: "Orders." }),
  "mcp-tools-distinct": tools(goodTool, { ...goodTool, name: "orders_of" }),
  "mcp-tool-annotated": tools(unhinted),
  "mcp-tool-annotations-agree": withTool({ name: "delete_order" }),
  "mcp-tool-destructive-told": withTool({ name: "delete_order", annotations: {} }),
  "mcp-tool-list-tokens": tools(...many(50, "This describes it at length. ".repeat(30))),
  "mcp-tool-tokens": withTool({ description: "It is described at length. ".repeat(300) }),
  "mcp-tool-count": tools(...many(61, "Short.")),
  "mcp-tool-input-object": tools(taking),
  "mcp-tool-input-closed": withTool({ inputSchema: { ...goodTool.inputSchema, additionalProperties: true } }),
  "mcp-tool-input-closed-stated": withTool({ inputSchema: { type: "object", properties: {} } }),
  "mcp-tool-input-described": withArguments({ customer: { type: "string", maxLength: 9 } }),
  "mcp-tool-input-typed": withArguments({ customer: { description: "Whose." } }),
  "mcp-tool-input-bounded": withArguments({ customer: { type: "string", description: "Whose." } }),
  "mcp-tool-input-depth": withArguments({ first: deep(9) }),
  "mcp-tool-required-declared": withArguments({}, { required: ["customer"] }),
  "mcp-tool-no-network-reference": withArguments({}, { $defs: { one: { $ref: "https://example.com/schema" } } }),
  "mcp-tool-reference-resolves": withArguments({ customer: { $ref: "#/$defs/nobody" } }),
  "mcp-tool-no-credential-in-header": withArguments({
    key: { type: "string", description: "Whose.", maxLength: 9, "x-mcp-header": "Api-Key" },
  }),
  "mcp-tool-output-schema": tools(silent),
  "mcp-prompt-described": { ...goodServer, prompts: [{ name: "reorder" }] },
  "mcp-prompt-argument-described": {
    ...goodServer,
    prompts: [{ name: "reorder", description: "Orders again.", arguments: [{ name: "order" }] }],
  },
  "mcp-resource-described": {
    ...goodServer,
    resources: [{ uri: "orders://terms", name: "terms", mimeType: "text/plain" }],
  },
  "mcp-resource-mime-type": {
    ...goodServer,
    resources: [{ uri: "orders://terms", name: "terms", description: "Terms of sale." }],
  },
};
