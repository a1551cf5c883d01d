import { createHash } from "node:crypto";
import type { BodyInput } from "./body-inputs.ts";
import { plainValue } from "./encode-parameter.ts";
import { isJsonObject, ownMember, textMember } from "./json-object.ts";
import type { SchemaFault } from "./schema-check.ts";

/** A body as it goes up, with its media type. */
export interface EncodedBody {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** A file that an argument holds. */
export interface FileArgument {
  readonly bytes: Uint8Array;
  readonly filename: string | undefined;
  readonly mediaType: string | undefined;
}

/**
 * A body of `multipart/form-data` (RFC 7578), or of the subtype that the description names. The boundary is a hash of
 * all that it separates: nobody can write a part that contains it.
 */
export function encodeMultipart(
  body: BodyInput,
  members: readonly (readonly [name: string, value: unknown])[],
  faults: SchemaFault[],
): EncodedBody {
  const parts = members.flatMap(([name, value]) => {
    const told = body.encodings.get(name);
    const values = Array.isArray(value) && told?.contentType?.endsWith("json") !== true ? value : [value];
    return values
      .filter((item) => item !== null && item !== undefined)
      .map((item) => partOf(name, item, told?.isFile === true, told?.contentType, faults));
  });
  const hash = createHash("sha256");
  for (const { head, bytes } of parts) hash.update(`${head.length} ${bytes.byteLength} `).update(head).update(bytes);
  const boundary = `part-${hash.digest("hex").slice(0, 48)}`;
  const chunks = parts.flatMap(({ head, bytes }) => [
    Buffer.from(`--${boundary}\r\n${head}\r\n\r\n`),
    bytes,
    Buffer.from("\r\n"),
  ]);
  const [essence = "multipart/form-data"] = body.mediaType.split(";", 1);
  return {
    mediaType: `${essence.trim()}; boundary=${boundary}`,
    bytes: Buffer.concat([...chunks, Buffer.from(`--${boundary}--\r\n`)]),
  };
}

/** The bytes of an argument that is a file. What is no base64 is added to `faults`; that the
 * media type is one, the schema says. */
export function encodeFile(value: unknown, path: string, faults: SchemaFault[]): FileArgument {
  const file = isJsonObject(value) ? value : {};
  const data = ownMember(file, "data");
  const text = ownMember(file, "text");
  if (typeof data === "string" && !/^[A-Za-z0-9+/_-]*={0,2}$/.test(data)) {
    faults.push({ path: `${path}.data`, message: "must be base64, without line breaks" });
  }
  const mediaType = textMember(file, "mediaType");
  const bytes =
    typeof data === "string" ? Buffer.from(data, "base64") : Buffer.from(typeof text === "string" ? text : "");
  return { bytes, filename: textMember(file, "filename"), mediaType };
}

interface Part {
  readonly head: string;
  readonly bytes: Uint8Array;
}

function partOf(
  name: string,
  value: unknown,
  isFile: boolean,
  contentType: string | undefined,
  faults: SchemaFault[],
): Part {
  const disposition = `Content-Disposition: form-data; name="${quoted(name)}"`;
  if (isFile) {
    const file = encodeFile(value, name, faults);
    const mediaType = file.mediaType ?? contentType ?? "application/octet-stream";
    const head = `${disposition}; filename="${quoted(file.filename ?? "file")}"\r\nContent-Type: ${mediaType}`;
    return { head, bytes: file.bytes };
  }
  const isJson = typeof value === "object" || contentType?.endsWith("json") === true;
  const type = contentType ?? (isJson ? "application/json" : undefined);
  const text = isJson ? JSON.stringify(value) : plainValue(value);
  return {
    head: type === undefined ? disposition : `${disposition}\r\nContent-Type: ${type}`,
    bytes: Buffer.from(text),
  };
}

// As browsers do (HTML, "multipart/form-data"): a quote or a line break would end the header.
function quoted(text: string): string {
  return text.replace(
    /[\p{Cc}"]/gu,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}
