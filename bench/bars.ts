import type { Figures, LaneFigures } from "./figures.ts";

/** One bar and how the run stands to it. */
export interface Verdict {
  readonly bar: string;
  readonly result: "met" | "missed" | "not judged";
  /** The figure, or why there is none. */
  readonly detail: string;
}

/** Fewest exchanges that a 99th percentile is taken of. */
const tailExchanges = 20_000;

/** Judges a run by every bar that the project has set itself. */
export function judge(figures: Figures): readonly Verdict[] {
  const { factor } = figures.calibration;
  const gatehouse = ["open", "governed"] as const;
  return [
    ratio(figures, "throughput, open", "open", "bare", 0.7),
    ratio(figures, "throughput, governed", "governed", "bare", 0.55),
    ratio(figures, "throughput, governed", "governed", "portkey", 8),
    ratio(figures, "throughput with events, governed", "governed", "governed-no-events", 0.95),
    ratio(figures, "throughput with limits in Redis, governed", "governed-redis", "governed", 0.7),
    ratio(figures, "throughput to Anthropic, translated", "to-anthropic", "governed", 0.5),
    ratio(figures, "throughput from Anthropic, translated", "from-anthropic", "governed", 0.5),
    keyCheck(figures),
    addedMedian(figures, "open", 0.15 * factor),
    addedMedian(figures, "governed", 0.18 * factor),
    ...gatehouse.map((id) => tail(figures, id)),
    ...gatehouse.flatMap((id) => [firstByte(figures, id, "streamAlone"), firstByte(figures, id, "streamAmong")]),
    addedMedian(figures, "mcp-open", 0.5 * factor),
    addedMedian(figures, "mcp-governed", 0.5 * factor),
    ratio(figures, "tools/call throughput, open", "mcp-open", "mcp-bare", 0.5),
    ratio(figures, "tools/call throughput, governed", "mcp-governed", "mcp-bare", 0.5),
    ...figures.lanes.map(({ id, errors }) => ({
      bar: `${id}: no error`,
      result: errors === 0 ? ("met" as const) : ("missed" as const),
      detail: `${errors}`,
    })),
  ];
}

function ratio(figures: Figures, name: string, id: string, of: string, least: number): Verdict {
  const bar = `${name}: at least ${least} of ${of}`;
  return withLanes(figures, bar, [id, of], ([lane, base]) => {
    const value = lane.perSecond / base.perSecond;
    return verdict(bar, value >= least, value.toFixed(2));
  });
}

function addedMedian(figures: Figures, id: string, mostMs: number): Verdict {
  const bar = `${id}: added p50 at one connection at most ${mostMs.toFixed(3)} ms (scaled)`;
  return withLanes(figures, bar, [id, id], ([lane]) =>
    verdict(bar, lane.one.addedP50Ms <= mostMs, `${lane.one.addedP50Ms.toFixed(3)} ms${besideBare(figures, lane)}`),
  );
}

/** The same as a share of what the bare proxy adds in this run, which holds on a machine with slow wake-ups too. */
function besideBare({ lanes }: Figures, { id, one }: LaneFigures): string {
  const bareId = id.startsWith("mcp-") ? "mcp-bare" : "bare";
  const bare = lanes.find((each) => each.id === bareId);
  return bare === undefined ? "" : `, ${(one.addedP50Ms / bare.one.addedP50Ms).toFixed(2)} of the bare proxy's`;
}

/** Knowing the caller and charging the limits, as the middle of many. */
function keyCheck({ keyCheck: measured, calibration }: Figures): Verdict {
  const mostUs = 20 * calibration.factor;
  const bar = `key check with limits: p50 at most ${mostUs.toFixed(1)} µs (scaled), 100,000 keys and 10,000 windows`;
  if (measured === undefined) return { bar, result: "not judged", detail: "not measured" };
  const { p50Us, p99Us, firstP50Us } = measured;
  const detail = `${p50Us.toFixed(1)} µs, p99 ${p99Us.toFixed(1)}; a key seen for the first time ${firstP50Us.toFixed(1)}`;
  return verdict(bar, p50Us <= mostUs, detail);
}

function tail(figures: Figures, id: string): Verdict {
  const bar = `${id}: added p99 at one connection at most 1.5 times the bare proxy's`;
  return withLanes(figures, bar, [id, "bare"], ([lane, bare]) => {
    const value = lane.one.addedP99Ms / bare.one.addedP99Ms;
    const detail = `${value.toFixed(2)} (${lane.one.addedP99Ms.toFixed(3)} ms, ${lane.one.exchanges} exchanges)`;
    if (Math.min(lane.one.exchanges, bare.one.exchanges) < tailExchanges) return { bar, result: "not judged", detail };
    return verdict(bar, value <= 1.5, detail);
  });
}

function firstByte(figures: Figures, id: string, which: "streamAlone" | "streamAmong"): Verdict {
  const count = which === "streamAlone" ? "1 stream" : "128 streams";
  const bar = `${id}: added time to first byte at ${count} at most 2 times the bare proxy's`;
  return withLanes(figures, bar, [id, "bare"], ([lane, bare]) => {
    const own = lane[which]?.addedP50Ms ?? Number.NaN;
    const base = bare[which]?.addedP50Ms ?? Number.NaN;
    return verdict(bar, own <= 2 * base, `${(own / base).toFixed(2)} (${own.toFixed(3)} ms)`);
  });
}

function withLanes(
  { lanes }: Figures,
  bar: string,
  [id, of]: readonly [string, string],
  judgeLanes: (found: readonly [LaneFigures, LaneFigures]) => Verdict,
): Verdict {
  const lane = lanes.find((each) => each.id === id);
  const base = lanes.find((each) => each.id === of);
  if (lane !== undefined && base !== undefined) return judgeLanes([lane, base]);
  return { bar, result: "not judged", detail: `without the lane ${lane === undefined ? id : of}` };
}

function verdict(bar: string, isMet: boolean, detail: string): Verdict {
  return { bar, result: isMet ? "met" : "missed", detail };
}
