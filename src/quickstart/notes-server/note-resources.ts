import type { McpServer } from "@modelcontextprotocol/server";
import { ProtocolError, ProtocolErrorCode, ResourceTemplate } from "@modelcontextprotocol/server";
import type { NotesServerParts } from "./create-notes-server.ts";
import type { Note } from "./note-store.ts";
import { noteIdSchema } from "./note-store.ts";
import { sayable } from "./tool-answer.ts";

/** Puts what can be read by URI on the server: the latest notes, each note, and each file of the workspace. */
export function registerNoteResources(server: McpServer, { notes, workspace, report }: NotesServerParts): void {
  const text = async (uri: URL, mimeType: string, work: () => Promise<string>) => ({
    contents: [{ uri: uri.href, mimeType, text: await told(work, report) }],
  });
  server.registerResource(
    "latest-notes",
    "notes://latest",
    { title: "Latest notes", description: "The ten newest notes in one page.", mimeType: "text/markdown" },
    (uri) =>
      text(uri, "text/markdown", async () => {
        const latest = (await notes.search("")).slice(0, 10);
        return latest.length === 0 ? "There are no notes yet.\n" : latest.map(pageOf).join("\n");
      }),
  );
  const listNotes = async () => ({
    resources: (await notes.search("")).slice(0, 100).map(({ id, title }) => ({
      uri: `notes://note/${id}`,
      name: id,
      title,
      mimeType: "text/markdown",
    })),
  });
  server.registerResource(
    "note",
    new ResourceTemplate("notes://note/{id}", { list: listNotes }),
    { title: "Note", description: "One note, by its id.", mimeType: "text/markdown" },
    (uri, { id }) => text(uri, "text/markdown", async () => pageOf(await notes.get(noteIdSchema.parse(id)))),
  );
  server.registerResource(
    "file",
    new ResourceTemplate("workspace://files/{+path}", { list: undefined }),
    { title: "File", description: "A text file of the workspace, by its path.", mimeType: "text/plain" },
    (uri, { path }) => text(uri, "text/plain", async () => (await workspace.read(decoded(path))).text),
  );
}

/** A note as a page of Markdown. */
export function pageOf({ id, title, text, tags, createdAt }: Note): string {
  const tagged = tags.length === 0 ? "" : `, tagged ${tags.join(", ")}`;
  return `# ${title}\n\n${text}\n\n(note ${id}, ${createdAt}${tagged})\n`;
}

async function told(work: () => Promise<string>, report: (error: unknown) => void): Promise<string> {
  try {
    return await work();
  } catch (error) {
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, sayable(error, report));
  }
}

function decoded(value: string | readonly string[] | undefined): string {
  const text = typeof value === "string" ? value : (value ?? []).join("/");
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // no encoding, so it stands for itself
  }
}
