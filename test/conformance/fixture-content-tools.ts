import type { McpServer, ServerContext } from "@modelcontextprotocol/server";
import { fromJsonSchema } from "@modelcontextprotocol/server";
import { z } from "zod";

/** A red pixel as PNG. */
export const pixelPng =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
const silentWav = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=";

/** What a tool may say to everybody who listens to its server. */
export interface FixtureNotifier {
  toolsChanged(): void;
  promptsChanged(): void;
}

/** Tools whose answer is all there is to them, and those that say something on the way. */
export function addContentTools(server: McpServer, notifier: FixtureNotifier): void {
  addStaticTools(server);
  addTalkingTools(server);
  addSchemaTools(server);
  server.registerTool("test_error_handling", { description: "Always fails" }, () => {
    throw new Error("This tool intentionally returns an error for testing");
  });
  server.registerTool("test_trigger_tool_change", { description: "Says that the tools have changed" }, () => {
    notifier.toolsChanged();
    return text("Tools changed.");
  });
  server.registerTool("test_trigger_prompt_change", { description: "Says that the prompts have changed" }, () => {
    notifier.promptsChanged();
    return text("Prompts changed.");
  });
}

function addStaticTools(server: McpServer): void {
  const image = { type: "image" as const, data: pixelPng, mimeType: "image/png" };
  server.registerTool("test_simple_text", { description: "Answers with text" }, () =>
    text("This is a simple text response for testing."),
  );
  server.registerTool("test_image_content", { description: "Answers with an image" }, () => ({ content: [image] }));
  server.registerTool("test_audio_content", { description: "Answers with a sound" }, () => ({
    content: [{ type: "audio", data: silentWav, mimeType: "audio/wav" }],
  }));
  server.registerTool("test_embedded_resource", { description: "Answers with a resource" }, () => ({
    content: [
      {
        type: "resource",
        resource: {
          uri: "test://embedded-resource",
          mimeType: "text/plain",
          text: "This is an embedded resource content.",
        },
      },
    ],
  }));
  server.registerTool("test_multiple_content_types", { description: "Answers with three kinds of content" }, () => ({
    content: [
      { type: "text", text: "Multiple content types test:" },
      image,
      {
        type: "resource",
        resource: {
          uri: "test://mixed-content-resource",
          mimeType: "application/json",
          text: JSON.stringify({ test: "data", value: 123 }),
        },
      },
    ],
  }));
}

function addTalkingTools(server: McpServer): void {
  server.registerTool("test_tool_with_logging", { description: "Logs three lines" }, async (ctx) => {
    await ctx.mcpReq.log("info", "Tool execution started");
    await pause(50);
    await ctx.mcpReq.log("info", "Tool processing data");
    await pause(50);
    await ctx.mcpReq.log("info", "Tool execution completed");
    return text("Done.");
  });
  server.registerTool("test_logging_tool", { description: "Logs one line, if asked to" }, async (ctx) => {
    await ctx.mcpReq.log("info", "A line for those who asked for lines");
    return text("Done.");
  });
  server.registerTool("test_tool_with_progress", { description: "Reports progress thrice" }, async (ctx) => {
    for (const progress of [0, 50, 100]) {
      await reportProgress(ctx, progress);
      await pause(50);
    }
    return text("Done.");
  });
  server.registerTool("test_reconnection", { description: "Closes its stream and answers later" }, async (ctx) => {
    ctx.http?.closeSSE?.();
    await pause(100);
    return text("The answer came to the stream that was opened again.");
  });
  server.registerTool("test_streaming_elicitation", { description: "Streams before it answers" }, async (ctx) => {
    await ctx.mcpReq.notify({ method: "notifications/progress", params: { progressToken: 0, progress: 1 } });
    return text("Done.");
  });
}

const addressedSchema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  $defs: {
    address: {
      $anchor: "addressDef",
      type: "object",
      properties: { street: { type: "string" }, city: { type: "string" } },
    },
  },
  properties: {
    name: { type: "string" },
    address: { $ref: "#/$defs/address" },
    contactMethod: { type: "string", enum: ["phone", "email"] },
    phone: { type: "string" },
    email: { type: "string" },
  },
  allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
  if: { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
  // biome-ignore lint/suspicious/noThenProperty: JSON Schema's own keyword
  then: { required: ["phone"] },
  else: { required: ["email"] },
  additionalProperties: false,
} as const;

function addSchemaTools(server: McpServer): void {
  server.registerTool(
    "json_schema_2020_12_tool",
    { description: "Has a schema of many keywords", inputSchema: fromJsonSchema(addressedSchema) },
    (given) => text(JSON.stringify(given)),
  );
  const mirrored = z.object({ region: z.string().meta({ "x-mcp-header": "Region" }) });
  server.registerTool(
    "test_mirrored_argument",
    { description: "Has an argument that a header repeats", inputSchema: mirrored },
    ({ region }) => text(`Region: ${region}`),
  );
  server.registerTool(
    "echo",
    { description: "Gives back its argument", inputSchema: z.object({ text: z.string() }) },
    (given) => text(given.text),
  );
}

/** A tool that works until its caller gives it up, and counts itself while it does. */
export function addEndlessTool(server: McpServer, work: { running: number }): void {
  server.registerTool("work_until_stopped", { description: "Never answers" }, async (ctx) => {
    const { signal } = ctx.mcpReq;
    work.running += 1;
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener("abort", () => resolve(), { once: true });
    });
    work.running -= 1;
    return text("Stopped.");
  });
}

/** A result of one text. */
export function text(value: string): { content: [{ type: "text"; text: string }] } {
  return { content: [{ type: "text", text: value }] };
}

async function reportProgress(ctx: ServerContext, progress: number): Promise<void> {
  const progressToken = ctx.mcpReq._meta?.progressToken;
  if (progressToken === undefined) return;
  await ctx.mcpReq.notify({ method: "notifications/progress", params: { progressToken, progress, total: 100 } });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
