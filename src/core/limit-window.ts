import { z } from "zod";

/** The spans of time of a calendar that a limit may hold for. */
export const calendarUnits = ["minute", "hour", "day", "week", "month"] as const;

export type CalendarUnit = (typeof calendarUnits)[number];

/** Longest window of a number of milliseconds: 366 days. */
const longestMs = 31_622_400_000;

/** For how long a limit holds before it begins anew. */
export const limitWindowSchema = z
  .union([
    z.enum(calendarUnits),
    z.strictObject({
      milliseconds: z.int().min(100).max(longestMs).meta({
        title: "Milliseconds",
        description: "Any length, counted from midnight UTC of 1 January 1970; from 100 ms to 366 days.",
      }),
    }),
  ])
  .meta({
    title: "Window",
    description:
      "`minute`, `hour`, `day`, `week` (from Monday) or `month` of the calendar, or `{ milliseconds: 5000 }`.",
  });

export type LimitWindow = z.output<typeof limitWindowSchema>;

/** A time zone of the IANA database, by the name that this machine's data knows. */
export const timeZoneSchema = z
  .string()
  .min(1)
  .max(64)
  .refine(isTimeZone, { error: "no time zone of that name is known; write one such as UTC or Europe/Vienna" })
  .default("UTC")
  .meta({ title: "Time zone", description: "Whose midnights begin days, weeks and months, such as `Europe/Vienna`." });

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
