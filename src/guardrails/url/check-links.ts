import { GatewayError } from "../../kernel/errors.ts";
import type { PluginTools } from "../../pipeline/plugin.ts";
import type { UrlParts } from "./url-pattern.ts";

/** Looks whether links lead somewhere. */
export interface LinkChecker {
  /**
   * Of each link, in order, whether something is there. Takes `timeoutMs` in all: what has not answered by then is not
   * there. Rejects with `client.closed` when nobody waits any more.
   */
  check(links: readonly UrlParts[], signal: AbortSignal): Promise<readonly boolean[]>;
}

const atOnce = 8;
const keptMs = 60_000;
const mostKept = 1_000;

/**
 * A checker by names alone or by HEAD requests, which go to public addresses only, redirects too, and carry no query: what
 * a model writes there may be what must not leave. Something is there when a server answers anything but 404, 410 or 5xx.
 * What was found is kept for a minute.
 */
export function createLinkChecker(
  by: "dns" | "head",
  timeoutMs: number,
  { clock, fetch, resolves }: Pick<PluginTools, "clock" | "fetch" | "resolves">,
): LinkChecker {
  const kept = new Map<string, { readonly isThere: boolean; readonly untilMs: number }>();

  const ask = async (link: UrlParts, leftMs: number, signal: AbortSignal): Promise<boolean> => {
    const host = link.host.includes(":") ? `[${link.host}]` : link.host;
    if (by === "dns") return resolves(host, "response");
    const port = link.port === "" ? "" : `:${link.port}`;
    const path = link.path.split("?", 1)[0] ?? "/";
    try {
      const { status } = await fetch(`${link.scheme}://${host}${port}${path}`, {
        chosenBy: "response",
        method: "HEAD",
        headers: { accept: "*/*", "user-agent": "gatehouse-link-check" },
        maxRedirects: 3,
        timeoutMs: leftMs,
        signal,
      });
      return status !== 404 && status !== 410 && status < 500;
    } catch (error) {
      if (error instanceof GatewayError && error.code !== "client.closed") return false;
      throw error;
    }
  };

  const look = async (link: UrlParts, untilMs: number, signal: AbortSignal): Promise<boolean> => {
    const key =
      by === "dns" ? link.host : JSON.stringify([link.scheme, link.host, link.port, link.path.split("?", 1)[0]]);
    const known = kept.get(key);
    const nowMs = clock.monotonic();
    if (known !== undefined && known.untilMs > nowMs) return known.isThere;
    if (untilMs <= nowMs) return false;
    const isThere = await inTime(ask(link, Math.ceil(untilMs - nowMs), signal), untilMs - nowMs, clock);
    if (isThere === undefined) return false;
    kept.delete(key);
    kept.set(key, { isThere, untilMs: clock.monotonic() + keptMs });
    const [oldest] = kept.keys();
    if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest);
    return isThere;
  };

  return {
    async check(links, signal) {
      const untilMs = clock.monotonic() + timeoutMs;
      const found: boolean[] = [];
      const waiting = links.entries();
      const work = async (): Promise<void> => {
        for (const [index, link] of waiting) {
          signal.throwIfAborted();
          found[index] = await look(link, untilMs, signal);
        }
      };
      await Promise.all(Array.from({ length: Math.min(atOnce, links.length) }, work));
      return found;
    },
  };
}

/** The answer, or undefined where none has come in that time: a name server is not asked to stop. */
async function inTime(answer: Promise<boolean>, ms: number, clock: PluginTools["clock"]): Promise<boolean | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const cancel = clock.after(ms, () => resolve(undefined));
  try {
    return await Promise.race([answer, promise]);
  } finally {
    cancel();
  }
}
