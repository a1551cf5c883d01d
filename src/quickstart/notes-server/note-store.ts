import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { Clock } from "../../kernel/clock.ts";
import { GatewayError } from "../../kernel/errors.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { Workspace } from "./workspace.ts";

/** The id of a note: its time of creation and a random end, so that the order of ids is the order of notes. */
export const noteIdSchema = z
  .string()
  .regex(/^\d{8}-\d{6}-\d{3}-[0-9a-f]{8}$/, "an id that notes_add or notes_search gave")
  .meta({ title: "Id", description: "The id of a note, as notes_add and notes_search give it." });

export const noteSchema = z.object({
  id: noteIdSchema,
  title: z.string(),
  text: z.string(),
  tags: z.array(z.string()),
  createdAt: z.string().meta({ description: "ISO 8601, in UTC." }),
});

export type Note = z.output<typeof noteSchema>;

/** Notes as files of JSON under `notes/` in the workspace, one a file. */
export interface NoteStore {
  add(note: Pick<Note, "title" | "text" | "tags">): Promise<Note>;
  /** Throws `resource.not_found`. */
  get(id: string): Promise<Note>;
  /** False when there is no such note. */
  remove(id: string): Promise<boolean>;
  /** Notes that contain every word of the query in title, text or tags, newest first; all for an empty query. */
  search(query: string): Promise<readonly Note[]>;
}

export function createNoteStore({ workspace, clock }: { workspace: Workspace; clock: Clock }): NoteStore {
  const read = async (id: string): Promise<Note | undefined> => {
    const stored = await workspace.read(pathOf(id)).catch((error: unknown) => {
      if (error instanceof GatewayError && error.code === "resource.not_found") return undefined;
      throw error;
    });
    return stored && parse(stored.text, id);
  };
  return {
    async add({ title, text, tags }) {
      const createdAt = new Date(clock.now()).toISOString();
      const note = { id: idOf(createdAt), title, text, tags, createdAt };
      await workspace.write(pathOf(note.id), `${JSON.stringify(note, undefined, 2)}\n`, { overwrite: false });
      return note;
    },
    async get(id) {
      const note = await read(id);
      if (note === undefined) throw new GatewayError("resource.not_found", "There is no note with that id.");
      return note;
    },
    remove: (id) => workspace.remove(pathOf(id)),
    async search(query) {
      const words = query
        .toLowerCase()
        .split(/\s+/)
        .filter((word) => word !== "");
      const found: Note[] = [];
      for (const id of await ids(workspace)) {
        const note = await read(id).catch(() => undefined); // one that cannot be read keeps no other from being found
        if (note === undefined) continue;
        const text = [note.title, note.text, ...note.tags].join("\n").toLowerCase();
        if (words.every((word) => text.includes(word))) found.push(note);
      }
      return found;
    },
  };
}

const folder = "notes";

function pathOf(id: string): string {
  return `${folder}/${id}.json`;
}

function idOf(createdAt: string): string {
  const [date = "", time = ""] = createdAt.replace(/[-:Z]/g, "").split("T");
  return `${date}-${time.replace(".", "-")}-${randomBytes(4).toString("hex")}`;
}

// Newest first. Files that somebody else put there are not notes.
async function ids(workspace: Workspace): Promise<readonly string[]> {
  const entries = await workspace.list(folder).catch((error: unknown) => {
    if (error instanceof GatewayError && error.code === "resource.not_found") return [];
    throw error;
  });
  return entries
    .map(({ path }) => path.slice(folder.length + 1, -".json".length))
    .filter((id) => noteIdSchema.safeParse(id).success)
    .reverse();
}

function parse(text: string, id: string): Note | undefined {
  try {
    const parsed = noteSchema.safeParse(parseJson(text)).data;
    return parsed?.id === id ? parsed : undefined;
  } catch {
    return undefined; // edited by hand into something else
  }
}
