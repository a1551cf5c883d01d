import type { Respond } from "../../../kit/mock-upstream.ts";

/** What is kept, by id, the oldest first. */
export type Rows = Map<string, Readonly<Record<string, unknown>>>;

let made = 0;

/**
 * A far end that keeps files and batches, as OpenAI's does: everybody's, since to it the gateway is one account. `rows` is
 * what it keeps.
 */
export function keeper(rows: Rows = new Map()): Respond {
  const make = (object: "file" | "batch", more: object = {}): Readonly<Record<string, unknown>> => {
    made += 1;
    const id = object === "file" ? `file-${made}` : `batch_${made}`;
    const row = { id, object, created_at: made, ...more };
    rows.set(id, row);
    return row;
  };
  return ({ method, url }, response) => {
    const { pathname, searchParams } = new URL(url, "http://far");
    const [, , kind = "", id = "", below] = pathname.split("/");
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    };
    const object = kind === "files" ? "file" : "batch";
    const row = rows.get(id);
    if (method === "POST" && id === "") return answer(200, make(object, { status: "completed" }));
    if (id === "")
      return answer(
        200,
        page(
          [...rows.values()].filter((each) => each["object"] === object),
          searchParams,
        ),
      );
    if (row === undefined)
      return answer(404, { error: { message: `No such ${object}`, type: "invalid_request_error" } });
    if (method === "DELETE") {
      rows.delete(id);
      return answer(200, { id, object, deleted: true });
    }
    if (below === "content") {
      response.writeHead(200, { "content-type": "application/octet-stream" });
      return void response.end(`content of ${id}`);
    }
    if (below === "cancel") return answer(200, { ...row, status: "cancelling" });
    return answer(200, object === "batch" ? { ...row, output_file_id: make("file")["id"] } : row);
  };
}

/** The newest first, `limit` at a time. */
function page(all: readonly Readonly<Record<string, unknown>>[], query: URLSearchParams): object {
  const rows = all.toReversed();
  const from = rows.findIndex(({ id }) => id === query.get("after")) + 1;
  const data = rows.slice(from, from + Number(query.get("limit") ?? 20));
  return { object: "list", data, has_more: from + data.length < rows.length };
}
