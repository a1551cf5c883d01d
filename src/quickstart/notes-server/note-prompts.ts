import type { McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import type { NotesServerParts } from "./create-notes-server.ts";
import { pageOf } from "./note-resources.ts";

const mostNotes = 20;

/** Puts the prompt `summarize_notes` on the server. */
export function registerNotePrompts(server: McpServer, { notes }: NotesServerParts): void {
  server.registerPrompt(
    "summarize_notes",
    {
      title: "Summarize notes",
      description: `Asks for a summary of the notes about a topic, at most ${mostNotes} of them.`,
      argsSchema: z.object({
        topic: z.string().max(200).optional().meta({ description: "Words that the notes contain." }),
      }),
    },
    async ({ topic = "" }) => {
      const found = (await notes.search(topic)).slice(0, mostNotes);
      const about = topic === "" ? "my latest notes" : `my notes about “${topic}”`;
      const body = found.length === 0 ? "(There are no such notes.)" : found.map(pageOf).join("\n");
      const text = `Summarize ${about} in a few sentences, then list what is still to be done.\n\n${body}`;
      return { messages: [{ role: "user", content: { type: "text", text } }] };
    },
  );
}
