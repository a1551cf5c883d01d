import type { McpServer } from "@modelcontextprotocol/server";
import { completable, inputRequired } from "@modelcontextprotocol/server";
import { z } from "zod";
import { pixelPng } from "./fixture-content-tools.ts";
import { acceptedText, ask } from "./fixture-input-tools.ts";

/** Prompts with and without arguments, with a resource, with an image, and one that asks back. */
export function addPrompts(server: McpServer): void {
  server.registerPrompt("test_simple_prompt", { description: "One text" }, () => ({
    messages: [said("This is a simple prompt for testing.")],
  }));
  const suggested = z.string().describe("First test argument");
  const argsSchema = z.object({
    arg1: completable(suggested, (start) => ["paris", "park", "party"].filter((word) => word.startsWith(start))),
    arg2: z.string().describe("Second test argument"),
  });
  server.registerPrompt(
    "test_prompt_with_arguments",
    { description: "Repeats its arguments", argsSchema },
    ({ arg1, arg2 }) => ({ messages: [said(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)] }),
  );
  server.registerPrompt(
    "test_prompt_with_embedded_resource",
    { description: "Holds a resource", argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri }) => ({
      messages: [
        {
          role: "user",
          content: {
            type: "resource",
            resource: { uri: resourceUri, mimeType: "text/plain", text: "Embedded resource content for testing." },
          },
        },
        said("Please process the embedded resource above."),
      ],
    }),
  );
  server.registerPrompt("test_prompt_with_image", { description: "Holds an image" }, () => ({
    messages: [
      { role: "user", content: { type: "image", data: pixelPng, mimeType: "image/png" } },
      said("Please analyze the image above."),
    ],
  }));
  server.registerPrompt("test_input_required_result_prompt", { description: "Asks for its context" }, (ctx) => {
    const context = acceptedText(ctx, "user_context", "context");
    if (context !== undefined) return { messages: [said(`In the context of ${context}.`)] };
    return inputRequired({ inputRequests: { user_context: ask("What context should the prompt use?", "context") } });
  });
}

function said(text: string): { role: "user"; content: { type: "text"; text: string } } {
  return { role: "user", content: { type: "text", text } };
}
