import type { IncomingMessage } from "node:http";
import { errors } from "oidc-provider";

const formBytes = 16_384;

/** The fields of a form that a page of ours has sent. Throws the library's errors for anything else. */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  if (!/^application\/x-www-form-urlencoded(;|$)/i.test(request.headers["content-type"] ?? "")) {
    throw new errors.InvalidRequest("send a form", 415);
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > formBytes) throw new errors.InvalidRequest("the form is too large", 413);
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString("utf8"));
}
