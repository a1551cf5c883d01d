import type { PartSource } from "./chat-request.ts";

const dataUrl = /^data:([^;,]*)(?:;[^,]*)?;base64,/i;

/** A `data:` URL as its bytes, any other address as it is. */
export function sourceOf(url: string): PartSource {
  const found = dataUrl.exec(url);
  if (found === null) return { type: "url", url };
  const mediaType = found[1]?.toLowerCase() || "application/octet-stream";
  return { type: "base64", mediaType, data: url.slice(found[0].length) };
}
