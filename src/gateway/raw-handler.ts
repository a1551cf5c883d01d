import type { IncomingMessage, ServerResponse } from "node:http";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { readTarget } from "../kernel/request-target.ts";
import type { RefuseTools } from "./refuse-unreadable.ts";
import { refuseRequest, refuseTarget } from "./refuse-unreadable.ts";

/** An app whose handlers write to `outgoing` themselves and answer `RESPONSE_ALREADY_SENT`, but for a few small texts. */
export type RawFetch = (
  request: Request,
  bindings: { incoming: IncomingMessage; outgoing: ServerResponse },
) => Response | Promise<Response>;

/**
 * Puts Node's pair behind Hono's routes without making a web `Request` and reading a web `Response`, which would cost
 * a sixth of a relayed request. Hono's router reads the method and the URL; nobody reads more of the stand-in.
 */
export function createRawHandler(
  fetch: RawFetch,
  tools: RefuseTools,
): (incoming: IncomingMessage, outgoing: ServerResponse) => void {
  const fail = (error: unknown, outgoing: ServerResponse): void => {
    if (outgoing.headersSent) outgoing.destroy();
    else void send(refuseRequest(error, tools), outgoing);
  };
  return (incoming, outgoing) => {
    const { method = "GET", url = "" } = incoming;
    if (readTarget(url) === "refused" || !isHost(incoming)) {
      void send(refuseTarget(tools), outgoing);
      return;
    }
    try {
      const routed = { method, url: `http://gateway${url}` } as unknown as Request; // all that the router reads
      const answer = fetch(routed, { incoming, outgoing });
      if (!(answer instanceof Promise)) void send(answer, outgoing);
      else answer.then((later) => send(later, outgoing)).catch((error: unknown) => fail(error, outgoing));
    } catch (error) {
      fail(error, outgoing);
    }
  };
}

/** One host in one header: of two, Node shows the first and somebody in front may have looked at the second. */
function isHost({ headers, rawHeaders, httpVersionMajor }: IncomingMessage): boolean {
  const host = httpVersionMajor === 2 ? headers[":authority"] : headers.host;
  return typeof host === "string" && /^[A-Za-z0-9._:[\]-]+$/.test(host) && countOf(rawHeaders, "host") < 2;
}

function countOf(rawHeaders: readonly string[], name: string): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const given = rawHeaders[at] ?? "";
    if (given.length === name.length && given.toLowerCase() === name) count += 1;
  }
  return count;
}

async function send(response: Response, outgoing: ServerResponse): Promise<void> {
  if (response === RESPONSE_ALREADY_SENT || outgoing.headersSent) return;
  const body = await response.text();
  const headers = { ...Object.fromEntries(response.headers), "content-length": Buffer.byteLength(body) };
  outgoing.writeHead(response.status, headers);
  outgoing.end(body);
}
