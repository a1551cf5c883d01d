import { McpServer } from "@modelcontextprotocol/server";
import { gatehouseVersion } from "../../version.ts";
import { registerFileTools } from "./file-tools.ts";
import { registerNotePrompts } from "./note-prompts.ts";
import { registerNoteResources } from "./note-resources.ts";
import type { NoteStore } from "./note-store.ts";
import { registerNoteTools } from "./note-tools.ts";
import type { Workspace } from "./workspace.ts";

export interface NotesServerParts {
  readonly workspace: Workspace;
  readonly notes: NoteStore;
  /** Called when a note or a file has come, changed or gone. */
  readonly changed: () => void;
  /** Hears of faults that callers are told nothing about. */
  readonly report: (error: unknown) => void;
}

/** An MCP server over notes and files of one workspace; one for each request, as the SDK wants it. */
export function createNotesServer(parts: NotesServerParts): McpServer {
  const server = new McpServer(
    { name: "gatehouse-notes", title: "Notes and files", version: gatehouseVersion },
    {
      instructions:
        "Notes and text files in one workspace. Search with notes_search before adding; files_* take relative paths only.",
    },
  );
  registerNoteTools(server, parts);
  registerFileTools(server, parts);
  registerNoteResources(server, parts);
  registerNotePrompts(server, parts);
  return server;
}
