import type { CalendarUnit, LimitWindow } from "../core/limit-window.ts";

/** One span of time in which something is counted. */
export interface WindowSpan {
  readonly startsAtMs: number;
  readonly windowMs: number;
}

/**
 * Gives the window that a moment lies in: of the calendar of a time zone, or of so many milliseconds counted from the
 * epoch. Days begin at the zone's first moment of the date, so that a day at the change of the clocks has 23 or 25
 * hours; weeks begin on Monday (ISO 8601). Minutes and hours are those of UTC. The same moment always lies in the same
 * window, and windows neither overlap nor leave gaps. The one that was asked for last is remembered, so most calls
 * compare two numbers.
 */
export function createWindows(window: LimitWindow, timeZone: string): (nowMs: number) => WindowSpan {
  const find = typeof window === "object" ? evenly(window.milliseconds) : calendar(window, timeZone);
  let last: WindowSpan = { startsAtMs: 0, windowMs: 0 };
  return (nowMs) => {
    const since = nowMs - last.startsAtMs;
    if (since < 0 || since >= last.windowMs) last = find(nowMs);
    return last;
  };
}

/** How long the window is as a plain number, for limits that roll: a month is 30 days. */
export function rollingMs(window: LimitWindow): number {
  return typeof window === "object" ? window.milliseconds : lengthMs[window];
}

const lengthMs: Readonly<Record<CalendarUnit, number>> = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
  month: 2_592_000_000,
};

function evenly(windowMs: number): (nowMs: number) => WindowSpan {
  return (nowMs) => ({ startsAtMs: Math.floor(nowMs / windowMs) * windowMs, windowMs });
}

function calendar(unit: CalendarUnit, timeZone: string): (nowMs: number) => WindowSpan {
  if (unit === "minute" || unit === "hour") return evenly(lengthMs[unit]);
  const dateOf = createDates(timeZone);
  return (nowMs) => {
    const [first, next] = bounds(unit, dateOf(nowMs));
    const startsAtMs = firstMoment(first, dateOf);
    return { startsAtMs, windowMs: firstMoment(next, dateOf) - startsAtMs };
  };
}

/** A date as the number of days from the epoch to it, of a calendar without zones. */
type DayNumber = number;

const dayMs = lengthMs.day;

/** Gives the date that it is in the zone at a moment. */
function createDates(timeZone: string): (ms: number) => DayNumber {
  if (timeZone === "UTC") return (ms) => Math.floor(ms / dayMs);
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    calendar: "gregory",
    numberingSystem: "latn",
    year: "numeric",
    month: "numeric",
    day: "numeric",
  });
  return (ms) => {
    const part: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(ms)) part[type] = Number(value);
    const { year = 0, month = 1, day = 1 } = part;
    return Date.UTC(year, month - 1, day) / dayMs;
  };
}

function bounds(unit: "day" | "week" | "month", day: DayNumber): readonly [first: DayNumber, next: DayNumber] {
  if (unit === "day") return [day, day + 1];
  if (unit === "week") {
    const monday = day - ((day + 3) % 7); // day 0 was a Thursday
    return [monday, monday + 7];
  }
  const date = new Date(day * dayMs);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  return [Date.UTC(year, month, 1) / dayMs, Date.UTC(year, month + 1, 1) / dayMs];
}

/** The first millisecond of that date in the zone, or of the next one that it has; offsets are below 27 hours. */
function firstMoment(day: DayNumber, dateOf: (ms: number) => DayNumber): number {
  let before = day * dayMs - 27 * lengthMs.hour;
  let within = day * dayMs + 27 * lengthMs.hour;
  while (within - before > 1) {
    const middle = Math.floor((before + within) / 2);
    if (dateOf(middle) >= day) within = middle;
    else before = middle;
  }
  return within;
}
