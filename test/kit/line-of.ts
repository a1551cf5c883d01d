import type { EventLineWriter, SpooledEvent } from "../../src/analytics/event-line.ts";
import { createEventLineWriter } from "../../src/analytics/event-line.ts";

/** The line of an event as text, line feed and all; by a writer of its own unless one is given. */
export function lineOf(event: SpooledEvent, write: EventLineWriter = createEventLineWriter()): string {
  const length = write(event, Buffer.alloc(0), 0);
  const memory = Buffer.alloc(length);
  return memory.toString("latin1", 0, write(event, memory, 0));
}
