import type { McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import type { NotesServerParts } from "./create-notes-server.ts";
import { toolAnswer } from "./tool-answer.ts";
import { largestFileBytes } from "./workspace.ts";

const pathSchema = z.string().max(400).meta({
  title: "Path",
  description: "Relative to the workspace, with `/` between names, such as `drafts/letter.md`.",
});

const bytesSchema = z.int().min(0);

/** Puts the tools for files on the server: list, read and write. */
export function registerFileTools(server: McpServer, { workspace, changed, report }: NotesServerParts): void {
  server.registerTool(
    "files_list",
    {
      title: "List files",
      description: "Lists every file and folder below a folder of the workspace.",
      inputSchema: z.strictObject({ path: pathSchema.default(".") }),
      outputSchema: z.object({
        entries: z.array(z.object({ path: z.string(), type: z.enum(["file", "folder"]), bytes: bytesSchema })),
      }),
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ path }) => toolAnswer(async () => ({ entries: await workspace.list(path) }), report),
  );
  server.registerTool(
    "files_read",
    {
      title: "Read a file",
      description: `Gives the text of a UTF-8 file of at most ${largestFileBytes} bytes.`,
      inputSchema: z.strictObject({ path: pathSchema }),
      outputSchema: z.object({ path: z.string(), text: z.string(), bytes: bytesSchema }),
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ path }) => toolAnswer(async () => ({ path, ...(await workspace.read(path)) }), report),
  );
  server.registerTool(
    "files_write",
    {
      title: "Write a file",
      description: `Writes a whole text file of at most ${largestFileBytes} bytes and makes the folders above it.`,
      inputSchema: z.strictObject({
        path: pathSchema,
        text: z.string().max(largestFileBytes).meta({ title: "Text", description: "The whole content." }),
        overwrite: z
          .boolean()
          .default(false)
          .meta({ title: "Overwrite", description: "Whether a file that is there already is replaced." }),
      }),
      outputSchema: z.object({ path: z.string(), created: z.boolean(), bytes: bytesSchema }),
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
    },
    ({ path, text, overwrite }) =>
      toolAnswer(async () => {
        const { created } = await workspace.write(path, text, { overwrite });
        changed();
        return { path, created, bytes: Buffer.byteLength(text) };
      }, report),
  );
}
