import type { McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import type { NotesServerParts } from "./create-notes-server.ts";
import type { Note } from "./note-store.ts";
import { noteIdSchema, noteSchema } from "./note-store.ts";
import { toolAnswer } from "./tool-answer.ts";

const titleSchema = z.string().trim().min(1).max(200).meta({ title: "Title", description: "One line." });
const textSchema = z.string().max(16_384).meta({ title: "Text", description: "Markdown, at most 16,384 characters." });
const tagsSchema = z
  .array(z.string().trim().min(1).max(40))
  .max(10)
  .default([])
  .meta({ title: "Tags", description: "At most ten words to find the note by." });

const excerptSchema = noteSchema.omit({ text: true }).extend({
  excerpt: z.string().meta({ description: "The first 200 characters of the text." }),
});

/** Puts the tools for notes on the server: add, search, get and delete. */
export function registerNoteTools(server: McpServer, { notes, changed, report }: NotesServerParts): void {
  server.registerTool(
    "notes_add",
    {
      title: "Add a note",
      description: "Keeps a new note and gives its id. Two notes may have the same title.",
      inputSchema: z.strictObject({ title: titleSchema, text: textSchema, tags: tagsSchema }),
      outputSchema: noteSchema,
      annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
    },
    (note) =>
      toolAnswer(async () => {
        const added = await notes.add(note);
        changed();
        return added;
      }, report),
  );
  server.registerTool(
    "notes_search",
    {
      title: "Search notes",
      description: "Finds the notes that contain every word of the query, newest first; without a query, all notes.",
      inputSchema: z.strictObject({
        query: z.string().max(200).default("").meta({ title: "Query", description: "Words; letter case is ignored." }),
        limit: z.int().min(1).max(50).default(10).meta({ title: "Limit", description: "The most notes to give." }),
      }),
      outputSchema: z.object({ total: z.int(), notes: z.array(excerptSchema) }),
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ query, limit }) =>
      toolAnswer(async () => {
        const found = await notes.search(query);
        return { total: found.length, notes: found.slice(0, limit).map(excerptOf) };
      }, report),
  );
  server.registerTool(
    "notes_get",
    {
      title: "Read a note",
      description: "Gives a whole note by its id.",
      inputSchema: z.strictObject({ id: noteIdSchema }),
      outputSchema: noteSchema,
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ id }) => toolAnswer(() => notes.get(id), report),
  );
  server.registerTool(
    "notes_delete",
    {
      title: "Delete a note",
      description: "Deletes a note for good. One that is not there is no fault.",
      inputSchema: z.strictObject({ id: noteIdSchema }),
      outputSchema: z.object({ deleted: z.boolean() }),
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
    },
    ({ id }) =>
      toolAnswer(async () => {
        const deleted = await notes.remove(id);
        if (deleted) changed();
        return { deleted };
      }, report),
  );
}

function excerptOf({ text, ...note }: Note): z.output<typeof excerptSchema> {
  return { ...note, excerpt: Array.from(text).slice(0, 200).join("") };
}
