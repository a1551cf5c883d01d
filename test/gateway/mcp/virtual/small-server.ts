import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler, fromJsonSchema, McpServer } from "@modelcontextprotocol/server";

/** A real server of both eras whose tools say what they were called with. */
export interface SmallServer extends AsyncDisposable {
  readonly url: string;
  /** Tools by name, with their input schemas; changes hold from the next request on. */
  readonly tools: Map<string, object>;
  /** Prompts by name. */
  readonly prompts: Set<string>;
  /** Resources by URI. */
  readonly resources: Set<string>;
  /** What the tools were called with, by their own names. */
  readonly calls: { readonly name: string; readonly given: unknown }[];
  /** Answers nothing any more but 503, until it is mended. */
  isBroken: boolean;
  /** Says that its tools have changed. */
  toolsChanged(): void;
}

/** Starts one on a free loopback port. */
export async function startSmallServer(name: string, tools: Iterable<string> = []): Promise<SmallServer> {
  const calls: SmallServer["calls"] = [];
  const kept = {
    tools: new Map<string, object>([...tools].map((each) => [each, { type: "object", properties: {} }])),
    prompts: new Set<string>(),
    resources: new Set<string>(),
  };
  const handler = createMcpHandler(() => createSmall(name, kept, calls));
  const serve = toNodeHandler(handler);
  const state = { isBroken: false };
  const server = createServer((request, response) => {
    if (state.isBroken) response.writeHead(503).end();
    // A server's requests have both, which the type of Node does not say.
    else void serve(request as IncomingMessage & { method: string; url: string }, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // a TCP server that listens has one
  return {
    ...kept,
    calls,
    url: `http://127.0.0.1:${port}/mcp`,
    get isBroken() {
      return state.isBroken;
    },
    set isBroken(value) {
      state.isBroken = value;
    },
    toolsChanged: () => handler.notify.toolsChanged(),
    async [Symbol.asyncDispose]() {
      await handler.close();
      server.close();
      server.closeAllConnections();
    },
  };
}

function createSmall(
  name: string,
  { tools, prompts, resources }: Pick<SmallServer, "tools" | "prompts" | "resources">,
  calls: SmallServer["calls"],
): McpServer {
  const server = new McpServer(
    { name, version: "1.0.0" },
    { instructions: `This is ${name}.`, capabilities: { tools: { listChanged: true } } },
  );
  for (const [tool, schema] of tools) {
    const description = `${tool} of ${name}`;
    server.registerTool(tool, { description, inputSchema: fromJsonSchema(schema) }, (given) => {
      calls.push({ name: tool, given });
      return { content: [{ type: "text", text: `${name}/${tool} ${JSON.stringify(given)}` }] };
    });
  }
  for (const prompt of prompts) {
    server.registerPrompt(prompt, { description: `${prompt} of ${name}` }, () => ({
      messages: [{ role: "user", content: { type: "text", text: `${name}/${prompt}` } }],
    }));
  }
  for (const uri of resources) {
    server.registerResource(uri, uri, {}, () => ({ contents: [{ uri, text: `${name} has ${uri}` }] }));
  }
  return server;
}
