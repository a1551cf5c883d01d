import type { IncomingMessage } from "node:http";
import { addressBlock } from "../../kernel/address-block.ts";
import { takeRate } from "../../pipeline/take-rate.ts";
import type { ResidentOptions } from "./resident-options.ts";

/** Why a request does not get to the authorization server, in OAuth's form. */
export interface AuthRefusal {
  readonly status: 400 | 404 | 411 | 413 | 429;
  readonly error: string;
  readonly description: string;
  readonly retryAfterSeconds?: number;
}

/** What anybody may call and what leaves a row in the catalog. */
interface Bound {
  readonly maxBytes: number;
  readonly perAddress: Rate;
  /** Of one client, whoever calls in its name. */
  readonly perClient?: Rate;
  readonly description: string;
}

interface Rate {
  readonly limit: number;
  readonly windowMs: number;
}

const authorization: Bound = {
  maxBytes: 8_192,
  perAddress: { limit: 120, windowMs: 60_000 },
  perClient: { limit: 1_200, windowMs: 60_000 },
  description: "too many authorization requests",
};
const registration: Bound = {
  maxBytes: 16_384,
  perAddress: { limit: 20, windowMs: 3_600_000 },
  description: "too many registrations",
};

/** `/authorize` counts when it is new; `/authorize/{uid}` goes on with one that has been counted. */
const bounds: ReadonlyMap<string, Bound> = new Map([
  ["/authorize", authorization],
  ["/par", authorization],
  ["/register", registration],
]);

/**
 * Lets a request in, or says why not. The library's router takes any case of a path for the same endpoint, so that a
 * bound on one spelling would be none: a path whose first segment has another spelling than ours is not there.
 */
export async function admitRequest(
  { limiter }: Pick<ResidentOptions, "limiter">,
  request: Pick<IncomingMessage, "method" | "headers">,
  { path, ip }: { readonly path: string; readonly ip: string },
): Promise<AuthRefusal | undefined> {
  const [pathname = "", query = ""] = path.split("?", 2);
  const segment = pathname.split("/", 2)[1] ?? "";
  if (segment !== segment.toLowerCase() || pathname.includes("//")) return notThere;
  const bound = bounds.get(pathname);
  if (bound === undefined || (request.method === "GET" && bound === registration)) return undefined;
  const sizeFault = tooLarge(request, query, bound.maxBytes);
  if (sizeFault !== undefined) return sizeFault;
  const clientId = new URLSearchParams(query).get("client_id");
  const rates = [
    { key: `oauth${bound === registration ? pathname : "/authorize"}/${addressBlock(ip)}`, rate: bound.perAddress },
    ...(bound.perClient === undefined || clientId === null
      ? []
      : [{ key: `oauth/authorize-for/${clientId.slice(0, 2_048)}`, rate: bound.perClient }]),
  ];
  for (const { key, rate } of rates) {
    const { allowed, retryAfterMs } = await takeRate(limiter, { key, ...rate, amount: 1 });
    if (!allowed) return tooMany(bound.description, retryAfterMs);
  }
  return undefined;
}

// A body whose length nobody has told could be as long as it likes; who sends a form knows how long it is.
function tooLarge({ method, headers }: Pick<IncomingMessage, "method" | "headers">, query: string, maxBytes: number) {
  const length = headers["content-length"];
  if (method === "POST" && length === undefined) {
    return { status: 411, error: "invalid_request", description: "say how long the body is (Content-Length)" } as const;
  }
  if (query.length <= maxBytes && Number(length ?? 0) <= maxBytes) return undefined;
  const description = `the parameters are longer than ${maxBytes} bytes`;
  return { status: 413, error: "invalid_request", description } as const;
}

const notThere: AuthRefusal = {
  status: 404,
  error: "not_found",
  description: "there is no such endpoint; paths are written in lower case",
};

function tooMany(description: string, retryAfterMs: number): AuthRefusal {
  const retryAfterSeconds = Math.max(1, Math.ceil(retryAfterMs / 1_000));
  return { status: 429, error: "temporarily_unavailable", description, retryAfterSeconds };
}
