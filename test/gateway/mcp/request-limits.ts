/** A request of the legacy era. */
export const request = (method: string, params: object = {}) => ({ jsonrpc: "2.0", id: 1, method, params });

/** A limit of requests, and how to come up to it. */
export interface RequestCase {
  readonly limit: string;
  readonly value: number;
  /** A message with the part at issue of that size. */
  readonly of: (size: number) => object;
  readonly status: number;
}
/** The limits that hold for every request, whatever is behind. */
export const requestCases: readonly RequestCase[] = [
  {
    limit: "nameLength",
    value: 20,
    of: (size) => request("tools/call", { name: "n".repeat(size), arguments: {} }),
    status: 400,
  },
  {
    limit: "cursorLength",
    value: 30,
    of: (size) => request("tools/list", { cursor: "c".repeat(size) }),
    status: 400,
  },
  {
    limit: "metaBytes",
    value: 300,
    of: (size) => request("tools/call", { name: "echo", _meta: { a: "m".repeat(size - '{"a":""}'.length) } }),
    status: 413,
  },
  {
    limit: "requestBytes",
    value: 2_000,
    of(size) {
      const around = JSON.stringify(request("tools/call", { name: "echo", arguments: { a: "" } })).length;
      return request("tools/call", { name: "echo", arguments: { a: "x".repeat(size - around) } });
    },
    status: 413,
  },
  {
    limit: "jsonDepth",
    value: 8,
    of(size) {
      let nested: unknown = 1;
      for (let level = 3; level < size; level += 1) nested = [nested];
      return request("tools/call", { name: "echo", arguments: { a: nested } });
    },
    status: 400,
  },
];
