import type { ClientResponse } from "../pipeline/adapter.ts";

const muchBytes = 65_536;

/**
 * Closes the connection of a client that takes nothing of what is left of an ended answer. Node's own timer, for only
 * it sees how much of one large write the system has taken.
 */
export function letGoWhenStalled(response: ClientResponse, stalledMs: number): void {
  if (response.writableLength > muchBytes) response.setTimeout(stalledMs, () => response.destroy());
}
