import { open, readFile, stat } from "node:fs/promises";
import { GatewayError } from "../../kernel/errors.ts";

/** Bytes of one document. */
export const mostDocumentBytes = 20_971_520;

/** A file's text, UTF-8. Throws `resource.invalid` with why it is none: too long, binary, no regular file. */
export async function readTextFile(path: string): Promise<string> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new GatewayError("resource.not_found", "it cannot be read", { cause });
  });
  if (!found.isFile()) return decodeText(await readSome(path)); // a pipe, such as the shell's `<(…)`
  if (found.size > mostDocumentBytes) throw tooLong();
  return decodeText(await readFile(path));
}

/** Bytes as text. Throws `resource.invalid` where they are none, or too many. */
export function decodeText(bytes: Uint8Array): string {
  if (bytes.length > mostDocumentBytes) throw tooLong();
  if (bytes.includes(0)) throw new GatewayError("resource.invalid", "it is binary, not YAML or JSON in UTF-8");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes); // without a byte order mark
  } catch (cause) {
    throw new GatewayError("resource.invalid", "it is no text in UTF-8", { cause });
  }
}

async function readSome(path: string): Promise<Uint8Array> {
  await using file = await open(path);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of file.createReadStream({ autoClose: false })) {
    const part = Buffer.from(chunk);
    bytes += part.length;
    if (bytes > mostDocumentBytes) throw tooLong();
    chunks.push(part);
  }
  return Buffer.concat(chunks);
}

function tooLong(): GatewayError {
  return new GatewayError("resource.invalid", `it is longer than ${mostDocumentBytes} bytes`);
}
