import { z } from "zod";

/** What the notes process is told on its standard input: never by arguments or environment, which others can see. */
export const notesSettingsSchema = z.strictObject({
  workspaceFolder: z.string(),
  token: z.string().min(32),
  port: z.int().min(0).max(65_535),
  anyPort: z.boolean(),
});

/** What it says on its standard output, once it listens. */
export const notesReadySchema = z.strictObject({ port: z.int().min(1).max(65_535) });

export type NotesSettings = z.output<typeof notesSettingsSchema>;
