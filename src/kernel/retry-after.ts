/**
 * Milliseconds that a server asks to be left alone for: `Retry-After` in seconds, fractions of them too, or as an HTTP
 * date (RFC 9110, 10.2.3); `retry-after-ms`, which some providers send beside it, comes first. Undefined where neither is
 * there or makes sense; 0 for a date that has passed. Not bounded: who waits knows for how long.
 * @param nowMs milliseconds since the epoch
 */
export function retryAfterMs(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  nowMs: number,
): number | undefined {
  const inMs = numberOf(headers["retry-after-ms"]);
  if (inMs !== undefined) return inMs;
  const text = headers["retry-after"];
  const inSeconds = numberOf(text);
  if (inSeconds !== undefined) return inSeconds * 1_000;
  // Dates begin with the day's name: whatever else `Date.parse` would take is no HTTP date.
  if (typeof text !== "string" || !/^[A-Z][a-z]{2}/.test(text)) return undefined;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

function numberOf(text: string | string[] | undefined): number | undefined {
  return typeof text === "string" && /^\s*\d{1,12}(\.\d{1,12})?\s*$/.test(text) ? Number(text) : undefined;
}
