import type {
  CallToolResult,
  ElicitRequestFormParams,
  ElicitResult,
  InputRequiredResult,
  McpServer,
  ServerContext,
} from "@modelcontextprotocol/server";
import { inputRequired, inputResponse } from "@modelcontextprotocol/server";
import { z } from "zod";
import { text } from "./fixture-content-tools.ts";

/** Tools that ask the client while they run: requests of the server on the call's own stream (up to 2025-11-25). */
export function addAskingTools(server: McpServer): void {
  server.registerTool(
    "test_sampling",
    { description: "Asks the client's model", inputSchema: z.object({ prompt: z.string() }) },
    async ({ prompt }, ctx) => {
      const messages = [{ role: "user", content: { type: "text", text: prompt } }];
      const answer = await ctx.mcpReq.send({ method: "sampling/createMessage", params: { messages, maxTokens: 100 } });
      const [block] = [answer.content].flat();
      return text(`LLM response: ${block?.type === "text" ? block.text : ""}`);
    },
  );
  server.registerTool(
    "test_elicitation",
    { description: "Asks the user", inputSchema: z.object({ message: z.string() }) },
    async ({ message }, ctx) => {
      const { action, content } = await elicit(ctx, message, person);
      return text(`User response: action=${action}, content=${JSON.stringify(content ?? {})}`);
    },
  );
  addForm(server, "test_elicitation_sep1034_defaults", withDefaults);
  addForm(server, "test_elicitation_sep1330_enums", withEnums);
}

/** The same tools as they are from 2026-07-28 on: what they ask stands in their result. */
export function addAskedTools(server: McpServer): void {
  server.registerTool(
    "test_sampling",
    { description: "Asks the client's model", inputSchema: z.object({ prompt: z.string() }) },
    ({ prompt }, ctx) => {
      const answer = inputResponse(ctx.mcpReq.inputResponses, "sample");
      if (answer.kind === "sampling") {
        const [block] = [answer.result.content].flat();
        return text(`LLM response: ${block?.type === "text" ? block.text : ""}`);
      }
      const messages = [{ role: "user" as const, content: { type: "text" as const, text: prompt } }];
      return inputRequired({ inputRequests: { sample: inputRequired.createMessage({ messages, maxTokens: 100 }) } });
    },
  );
  server.registerTool(
    "test_elicitation",
    { description: "Asks the user", inputSchema: z.object({ message: z.string() }) },
    ({ message }, ctx) => asked(ctx, message, person, "User response"),
  );
  for (const [name, requestedSchema] of [
    ["test_elicitation_sep1034_defaults", withDefaults],
    ["test_elicitation_sep1330_enums", withEnums],
  ] as const) {
    server.registerTool(name, { description: "Asks the user to fill in a form" }, (ctx) =>
      asked(ctx, "Please fill in the form", requestedSchema, "Elicitation completed"),
    );
  }
}

function asked(
  ctx: ServerContext,
  message: string,
  requestedSchema: FormSchema,
  said: string,
): CallToolResult | InputRequiredResult {
  const answer = inputResponse(ctx.mcpReq.inputResponses, "form");
  if (answer.kind !== "elicit") {
    return inputRequired({ inputRequests: { form: inputRequired.elicit({ message, requestedSchema }) } });
  }
  return text(`${said}: action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`);
}

type FormSchema = ElicitRequestFormParams["requestedSchema"];

const person: FormSchema = {
  type: "object",
  properties: {
    username: { type: "string", description: "User's response" },
    email: { type: "string", description: "User's email address" },
  },
  required: ["username", "email"],
};

const withDefaults: FormSchema = {
  type: "object",
  properties: {
    name: { type: "string", description: "User name", default: "John Doe" },
    age: { type: "integer", description: "User age", default: 30 },
    score: { type: "number", description: "User score", default: 95.5 },
    status: { type: "string", description: "Status", enum: ["active", "inactive", "pending"], default: "active" },
    verified: { type: "boolean", description: "Whether verified", default: true },
  },
};

const withEnums: FormSchema = {
  type: "object",
  properties: {
    untitledSingle: { type: "string", description: "One of three", enum: ["option1", "option2", "option3"] },
    titledSingle: {
      type: "string",
      description: "One of three with titles",
      oneOf: [
        { const: "value1", title: "First Option" },
        { const: "value2", title: "Second Option" },
        { const: "value3", title: "Third Option" },
      ],
    },
    legacyEnum: {
      type: "string",
      description: "One of three, as it was written before",
      enum: ["opt1", "opt2", "opt3"],
      enumNames: ["Option One", "Option Two", "Option Three"],
    },
    untitledMulti: {
      type: "array",
      description: "Some of three",
      items: { type: "string", enum: ["option1", "option2", "option3"] },
    },
    titledMulti: {
      type: "array",
      description: "Some of three with titles",
      items: {
        anyOf: [
          { const: "value1", title: "First Choice" },
          { const: "value2", title: "Second Choice" },
          { const: "value3", title: "Third Choice" },
        ],
      },
    },
  },
};

/**
 * On the call's own stream. The SDK's `elicitInput` asks on the standalone one, and what is sent before the client has
 * opened that is lost.
 */
function elicit(ctx: ServerContext, message: string, requestedSchema: FormSchema): Promise<ElicitResult> {
  return ctx.mcpReq.send({ method: "elicitation/create", params: { mode: "form", message, requestedSchema } });
}

function addForm(server: McpServer, name: string, requestedSchema: FormSchema): void {
  server.registerTool(name, { description: "Asks the user to fill in a form" }, async (ctx) => {
    const { action, content } = await elicit(ctx, "Please fill in the form", requestedSchema);
    return text(`Elicitation completed: action=${action}, content=${JSON.stringify(content ?? {})}`);
  });
}
