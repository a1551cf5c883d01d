import type { Duplex } from "node:stream";
import type { Clock } from "../kernel/clock.ts";
import { errorCodes } from "../kernel/error-codes.ts";
import { uuidV7 } from "../kernel/ids.ts";
import type { Log } from "../kernel/log.ts";
import type { Deny } from "../pipeline/outcome.ts";
import { deny } from "../pipeline/outcome.ts";
import { gatewayProblem } from "./gateway-problem.ts";

export interface RefuseTools {
  readonly clock: Clock;
  readonly log: Log;
}

/** The answer to a request that is HTTP but cannot be routed (a `Host` that is none), or whose handler broke. */
export function refuseRequest(error: unknown, { clock, log }: RefuseTools): Response {
  if (error instanceof Error && error.name === "RequestError") return refuseTarget({ clock });
  log.error({ err: error }, "a request could not be handled");
  const refusal = deny("internal", "The gateway failed to handle this. The request id names it in the log.");
  return new Response(JSON.stringify(gatewayProblem(refusal)), {
    status: errorCodes[refusal.code].status,
    headers: headersOf(uuidV7(clock.now())),
  });
}

/** The answer to a request whose target or `Host` is not valid. */
export function refuseTarget({ clock }: Pick<RefuseTools, "clock">): Response {
  const refusal = deny("request.invalid", "The request's host or path is not valid.");
  return new Response(JSON.stringify(gatewayProblem(refusal)), {
    status: errorCodes[refusal.code].status,
    headers: headersOf(uuidV7(clock.now())),
  });
}

/** Answers bytes that are no HTTP request, and closes: nobody knows where the next one would begin. */
export function refuseUnreadable(error: Error, socket: Duplex, { clock }: RefuseTools): void {
  // Node's own field: an answer that is half out cannot be followed by another.
  const isAnswering = "_httpMessage" in socket && socket._httpMessage !== null && socket._httpMessage !== undefined;
  if (!socket.writable || isAnswering || codeOf(error) === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const refusal = refusalOf(codeOf(error));
  const { status, title } = errorCodes[refusal.code];
  const body = JSON.stringify(gatewayProblem(refusal));
  const headers = { ...headersOf(uuidV7(clock.now())), "content-length": Buffer.byteLength(body), connection: "close" };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${title}\r\n${lines.join("")}\r\n${body}`);
}

function refusalOf(code: string | undefined): Deny {
  if (code === "HPE_HEADER_OVERFLOW") return deny("request.headers_too_large", "The request's headers are too large.");
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return deny("request.timeout", "The request took too long to arrive.");
  return deny("request.invalid", "This is not a valid HTTP request.");
}

function headersOf(requestId: string): Record<string, string> {
  return { "content-type": "application/problem+json", "x-request-id": requestId, "x-should-retry": "false" };
}

function codeOf(error: Error): string | undefined {
  return "code" in error && typeof error.code === "string" ? error.code : undefined;
}
