import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { equalInConstantTime } from "../../../kernel/crypto.ts";
import type { ChdbEngine, EngineRole, EngineSettings } from "./chdb-engine.ts";

export interface ClickHouseFaceOptions {
  readonly engine: ChdbEngine;
  /** Password of the users `writer`, `reader` and `adhoc`. */
  readonly secret: string;
}

/**
 * The part of ClickHouse's HTTP interface that its JavaScript client uses: `/ping`; statements in the body, or in
 * `query` with rows in the body; settings and `param_…` in the query; errors as text with
 * `X-ClickHouse-Exception-Code`. Rows come as JSONEachRow or JSONCompactEachRow. Parameters are numbers and texts. The user chooses the
 * connection, and with it what is allowed.
 */
export function createClickHouseFace({ engine, secret }: ClickHouseFaceOptions): RequestListener {
  return (request, response) => {
    answer(engine, secret, request).then(
      (body) => send(response, 200, body.bytes, body.headers),
      (error: unknown) => {
        const text = error instanceof Error ? error.message : String(error);
        const code = /^Code: (\d+)\./.exec(text)?.[1] ?? "1002";
        send(response, statusOf(code), Buffer.from(`${text}\n`), { "x-clickhouse-exception-code": code });
      },
    );
  };
}

interface Body {
  readonly bytes: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

const maxBodyBytes = 128 * 1_048_576;

async function answer(engine: ChdbEngine, secret: string, request: IncomingMessage): Promise<Body> {
  const url = new URL(request.url ?? "/", "http://localhost");
  if (url.pathname === "/ping") return { bytes: Buffer.from("Ok.\n") };
  const role = roleOf(request.headers.authorization, secret);
  if (role === undefined) throw exception(516, "Authentication failed", "AUTHENTICATION_FAILED");
  const { settings, parameters } = readQuery(url.searchParams);
  const body = await readBody(request);
  const inQuery = url.searchParams.get("query");
  if (inQuery !== null && body.length > 0) return insert(engine, role, inQuery, settings, body);
  const statement = inQuery ?? body.toString("utf8");
  if (role === "adhoc" && Object.keys(settings).length > 0) {
    throw exception(497, "settings are not allowed", "ACCESS_DENIED"); // it has its own, for good
  }
  return { bytes: await engine.run(role, withSettings(statement, settings), parameters) };
}

async function insert(
  engine: ChdbEngine,
  role: EngineRole,
  statement: string,
  settings: EngineSettings,
  rows: Buffer,
): Promise<Body> {
  if (role !== "writer") throw exception(164, "Cannot execute query in readonly mode", "READONLY");
  const [, table, columns, compact] = insertPattern.exec(statement) ?? [];
  if (table === undefined) {
    throw exception(
      62,
      "the embedded engine takes INSERT INTO table (columns) FORMAT JSONEachRow or JSONCompactEachRow",
      "SYNTAX_ERROR",
    );
  }
  const written = await engine.insert({
    table: table.replaceAll("`", ""),
    columns: columns?.split(",").map((name) => name.trim().replaceAll("`", "")),
    format: compact === undefined ? "JSONEachRow" : "JSONCompactEachRow",
    settings,
    rows,
  });
  const summary = JSON.stringify({ written_rows: String(written), written_bytes: String(rows.length) });
  return { bytes: Buffer.alloc(0), headers: { "x-clickhouse-summary": summary } };
}

const insertPattern =
  /^\s*INSERT INTO ((?:`?\w+`?\.)?`?\w+`?)\s*(?:\(([\w\s,`]+)\))?\s*FORMAT JSON(Compact)?EachRow\s*$/i;

/** Parameters of the interface itself, which are no settings; those that only steer HTTP have nothing to steer here. */
const ownParameters =
  /^(query|query_id|database|default_format|session_id|session_timeout|role|user|password|wait_end_of_query|enable_http_compression|send_progress_in_http_headers|http_.*)$/;

function readQuery(query: URLSearchParams): { readonly settings: EngineSettings; readonly parameters: EngineSettings } {
  const settings: Record<string, string> = {};
  const parameters: Record<string, string> = {};
  for (const [name, value] of query) {
    if (name.startsWith("param_")) parameters[name.slice(6)] = unescaped(value);
    else if (!ownParameters.test(name)) {
      if (!/^[a-z][a-z0-9_]*$/.test(name))
        throw exception(115, `Unknown setting ${name.slice(0, 100)}`, "UNKNOWN_SETTING");
      settings[name] = value;
    }
  }
  return { settings, parameters };
}

const escapes: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", b: "\b", f: "\f", "0": "\0" };

/** Parameters come as TSV has texts, and the engine's binding escapes them once more. */
function unescaped(text: string): string {
  return text.replace(/\\(.)/gs, (_, letter: string) => escapes[letter] ?? letter);
}

/** For this statement only: settings that are SET would stay on the connection. */
function withSettings(statement: string, settings: EngineSettings): string {
  const entries = Object.entries(settings);
  if (entries.length === 0) return statement;
  if (!/^\s*(SELECT|WITH)\b/i.test(statement)) {
    throw exception(115, "the embedded engine takes settings with SELECT and INSERT only", "UNKNOWN_SETTING");
  }
  const list = entries.map(([name, value]) => `${name} = ${literal(value)}`);
  return `${statement.trimEnd()}\nSETTINGS ${list.join(", ")}`;
}

function literal(value: string): string {
  return /^-?\d+(\.\d+)?$/.test(value) ? value : `'${value.replace(/[\\']/g, "\\$&")}'`;
}

function roleOf(authorization: string | undefined, secret: string): EngineRole | undefined {
  const encoded = /^Basic (\S+)$/.exec(authorization ?? "")?.[1] ?? "";
  const [user = "", ...password] = Buffer.from(encoded, "base64").toString("utf8").split(":");
  if (!equalInConstantTime(Buffer.from(password.join(":")), Buffer.from(secret))) return undefined;
  return user === "writer" || user === "reader" || user === "adhoc" ? user : undefined;
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    // no encoding is set, so these are bytes
    bytes += chunk.length;
    if (bytes > maxBodyBytes) throw exception(307, "the body is too large", "TOO_MANY_BYTES");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function exception(code: number, text: string, name: string): Error {
  return new Error(`Code: ${code}. DB::Exception: ${text}. (${name})`);
}

function statusOf(code: string): number {
  return code === "516" || code === "497" ? 403 : code === "62" ? 400 : code === "60" || code === "81" ? 404 : 500;
}

function send(
  response: ServerResponse,
  status: number,
  bytes: Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, {
    "content-type": "text/plain; charset=UTF-8",
    "content-length": bytes.length,
    "x-clickhouse-server-display-name": "gatehouse-embedded",
    ...headers,
  });
  response.end(bytes);
}
