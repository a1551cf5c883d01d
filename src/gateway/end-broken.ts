import type { ClientResponse } from "../pipeline/adapter.ts";

/** Ends a stream that broke: by the dialect's own word for it, else by breaking the connection off; never as if it were whole. */
export function endBroken(response: ClientResponse, errorFrame: Uint8Array | undefined): void {
  if (errorFrame === undefined) response.destroy();
  else response.end(errorFrame);
}
