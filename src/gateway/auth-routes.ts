import type { IncomingMessage, ServerResponse } from "node:http";
import type { ResidentServer } from "../identity/resident/resident-server.ts";
import type { CidrSet } from "../kernel/cidr-set.ts";
import { clientAddress } from "../kernel/client-address.ts";
import { toGatewayError } from "../kernel/errors.ts";
import type { Log } from "../kernel/log.ts";

/** The resident authorization server on the gateway's port. */
export interface AuthRoutes {
  readonly issuer: string;
  /** The path below the issuer that a request is for, or undefined when it is for something else. */
  target(path: string): string | undefined;
  /** Answers; the answer has been written or failed when it resolves. Never rejects. */
  handle(target: string, request: IncomingMessage, response: ServerResponse, requestId: string): Promise<void>;
}

export interface AuthRoutesOptions {
  readonly issuer: string;
  readonly trustedProxies: CidrSet;
  readonly log: Log;
  /** The server; loaded at the first request, because most gateways never get one. */
  load(): Promise<ResidentServer>;
}

/** The server's own router forgives a slash at the end, white space and more; its endpoints need none of that. */
const endpointPath = /^[A-Za-z0-9/._~-]*[A-Za-z0-9._~-]$/;

const discoveries = ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"];

/**
 * Everything below the issuer, and its metadata where RFC 8414 puts it, with the well-known part before the issuer's
 * path. A proxy in front may take a prefix off every path or off none: the public URL's own path may stand there or not.
 */
export function createAuthRoutes({ issuer, trustedProxies, log, load }: AuthRoutesOptions): AuthRoutes {
  const whole = new URL(issuer).pathname;
  const bases = [...new Set([whole, whole.slice(whole.lastIndexOf("/"))])];
  const exact = new Map(discoveries.flatMap((document) => bases.map((base) => [document + base, document])));
  return {
    issuer,
    target(path) {
      if (!endpointPath.test(path)) return undefined;
      const document = exact.get(path);
      if (document !== undefined) return document;
      const base = bases.find((each) => path.startsWith(`${each}/`));
      return base === undefined ? undefined : path.slice(base.length);
    },
    async handle(target, request, response, requestId) {
      try {
        const query = /\?.*$/s.exec(request.url ?? "")?.[0] ?? "";
        response.setHeader("x-request-id", requestId);
        const ip = clientAddress(request.socket.remoteAddress, request.headers, trustedProxies);
        await (await load()).handle(request, response, { path: target + query, ip });
      } catch (error) {
        const { code, detail } = toGatewayError(error);
        log.error({ err: error, exchange: requestId, code, detail }, "the authorization server does not answer");
        if (!response.headersSent) response.writeHead(500, { "content-type": "application/json" });
        response.end(JSON.stringify({ error: "server_error" }));
      }
    },
  };
}
