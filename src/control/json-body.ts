import { MIMEType } from "node:util";
import { GatewayError } from "../kernel/errors.ts";
import { scanJson } from "../kernel/json-scan.ts";
import { parseJson } from "../kernel/parse-json.ts";

export interface JsonBodyLimits {
  /** Counted as they are read; the Content-Length is only believed when it says too much. */
  readonly maxBytes: number;
  readonly maxDepth: number;
}

/**
 * The request's body as a JSON value. Refuses, each with its own code: another media type than application/json, too
 * many bytes, invalid UTF-8, too deep nesting, a top-level member that occurs twice, malformed JSON, and a member
 * named `__proto__`. No message repeats a piece of the body: it may hold a secret.
 */
export async function readJsonBody(request: Request, { maxBytes, maxDepth }: JsonBodyLimits): Promise<unknown> {
  requireJson(request.headers.get("content-type"));
  const bytes = await readBytes(request, maxBytes);
  const text = decodeUtf8(bytes);
  scanJson(bytes, { maxDepth });
  const value = parse(text);
  refuseProtoMembers(value);
  return value;
}

function requireJson(contentType: string | null): void {
  const type = contentType === null ? undefined : parseMediaType(contentType);
  const charset = type?.params.get("charset");
  if (type?.essence === "application/json" && (charset ?? "utf-8").toLowerCase() === "utf-8") return;
  throw new GatewayError("request.unsupported_media_type", "Send the body as `Content-Type: application/json`.");
}

function parseMediaType(text: string): MIMEType | undefined {
  try {
    return new MIMEType(text);
  } catch {
    return undefined;
  }
}

async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  const tooLarge = (): GatewayError =>
    new GatewayError("request.too_large", `The body is larger than ${maxBytes} bytes, the most that is accepted.`);
  if (Number(request.headers.get("content-length")) > maxBytes) throw tooLarge();
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let bytesRead = 0;
  // Leaving the loop early cancels the stream, so what was not read yet is not held either.
  const received: AsyncIterable<Uint8Array> = request.body;
  for await (const chunk of received) {
    bytesRead += chunk.byteLength;
    if (bytesRead > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new GatewayError("request.invalid", "The body is not valid UTF-8.", { cause });
  }
}

function parse(text: string): unknown {
  try {
    return parseJson(text);
  } catch (cause) {
    const place = cause instanceof Error ? /line (\d+) column (\d+)/.exec(cause.message) : null;
    const where = place === null ? "" : ` It breaks off at line ${place[1]}, column ${place[2]}.`;
    throw new GatewayError("request.malformed_json", `The body is not valid JSON.${where}`);
  }
}

/** Depth is bounded by now, so this may recurse. */
function refuseProtoMembers(value: unknown): void {
  if (value === null || typeof value !== "object") return;
  if (Object.hasOwn(value, "__proto__")) {
    throw new GatewayError("request.invalid", "A member must not be named `__proto__`.");
  }
  for (const member of Object.values(value)) refuseProtoMembers(member);
}
