import type { Operation } from "../../pipeline/exchange.ts";

/** A request to a REST API, as the operation that it is carries it. */
export interface RestRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD" | "OPTIONS";
  /** Path and query below the API's address, encoded. */
  readonly path: string;
  /** Names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The operation for a request: `kind` is the method, `name` method and template as the description has them. */
export function restOperation(id: string, name: string, request: RestRequest, body: Uint8Array | undefined): Operation {
  return {
    id,
    parentId: undefined,
    kind: request.method,
    name,
    stream: false,
    body: Buffer.from(body ?? []),
    message: request,
    usage: undefined,
  };
}

/** The request that an operation of a REST API is. */
export function restRequest(operation: Operation): RestRequest {
  return operation.message as RestRequest; // made above
}
