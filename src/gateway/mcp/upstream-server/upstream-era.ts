import type { Clock } from "../../../kernel/clock.ts";
import type { McpEra } from "../../../mcp/wire/legacy.ts";

/** Which era an upstream speaks, as found; kept with the time, since a server may learn another. */
export interface UpstreamEra {
  /** What was found less than ten minutes ago, or is set by the operator; undefined where nobody knows. */
  known(): McpEra | undefined;
  /** When it was found, in milliseconds since the epoch; undefined of what is set, and before. */
  foundAtMs(): number | undefined;
  /**
   * What `probe` finds, asked once for all who wait. A probe that is inconclusive answers undefined: then the last
   * verdict counts, if there was one, for this one call and no other.
   */
  find(probe: () => Promise<McpEra | undefined>): Promise<McpEra | undefined>;
  /** It has refused to begin a session, though it may be there: less than ten minutes ago. */
  refusesSessions(): boolean;
  noteRefusal(): void;
}

const freshMs = 600_000;

/** A verdict that is set holds for ever; `auto` is found out by probes and forgotten after ten minutes. */
export function createUpstreamEra(setting: "auto" | McpEra, clock: Clock): UpstreamEra {
  let verdict: { readonly era: McpEra; readonly foundAtMs: number; readonly atMs: number } | undefined;
  let refusedMs: number | undefined;
  let running: Promise<McpEra | undefined> | undefined;
  const known = (): McpEra | undefined => {
    if (setting !== "auto") return setting;
    return verdict !== undefined && clock.monotonic() - verdict.atMs < freshMs ? verdict.era : undefined;
  };
  return {
    known,
    foundAtMs: () => verdict?.foundAtMs,
    refusesSessions: () => refusedMs !== undefined && clock.monotonic() - refusedMs < freshMs,
    noteRefusal() {
      refusedMs = clock.monotonic();
    },
    async find(probe) {
      const fresh = known();
      if (fresh !== undefined) return fresh;
      running ??= probe().finally(() => {
        running = undefined;
      });
      const found = await running;
      if (found === undefined) return verdict?.era;
      verdict = { era: found, foundAtMs: clock.now(), atMs: clock.monotonic() };
      return found;
    },
  };
}
