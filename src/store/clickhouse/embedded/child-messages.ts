import { z } from "zod";

/** What the gateway's process tells the engine's: once, at the start. Not in arguments, which others can read. */
export const openMessageSchema = z.strictObject({
  type: z.literal("open"),
  /** The engine's data; made when it is missing. */
  directory: z.string(),
  /** Password of every user of the interface. */
  secret: z.string().min(32),
  /** What the engine may hold, in bytes. */
  memoryBytes: z.int(),
  database: z.string().regex(/^\w+$/),
  /** Milliseconds after which an analyst's statement that still runs ends the process. */
  stuckAfterMs: z.int(),
});

/** What the engine's process answers. */
export const childMessageSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("ready"), port: z.int(), version: z.string() }),
  /** There will be no engine here: the package is missing, or not for this system. */
  z.strictObject({ type: z.literal("unavailable"), reason: z.string() }),
  /** This try came to nothing. */
  z.strictObject({ type: z.literal("failed"), reason: z.string() }),
  z.strictObject({ type: z.literal("usage"), rssBytes: z.int() }),
]);

export type OpenMessage = z.output<typeof openMessageSchema>;
export type ChildMessage = z.output<typeof childMessageSchema>;
