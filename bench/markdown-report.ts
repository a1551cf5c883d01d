import type { Verdict } from "./bars.ts";
import type { Figures, LaneFigures, Times } from "./figures.ts";

/** The run as a page: two tables of figures, the bars, and how it was measured. */
export function markdownReport(figures: Figures, verdicts: readonly Verdict[]): string {
  const { calibration, lanes } = figures;
  const llm = lanes.filter(({ protocol }) => protocol === "llm");
  const mcp = lanes.filter(({ protocol }) => protocol === "mcp");
  const lines = [
    `# Bench, ${figures.at}`,
    "",
    figures.quick ? "A quick look: too short for figures to be published." : "",
    `${figures.machine}; Node ${figures.node}; ${figures.pinned ? "lanes on one core, client and mock on another" : "NOT pinned to cores"}.`,
    `${figures.alternations} rounds over all lanes, medians of the rounds. Throughput by ${figures.client === "wrk" ? "wrk" : "our own client"}, times by our own client.`,
    figures.loadAverage > 0.5
      ? `THE MACHINE WAS BUSY (load average ${figures.loadAverage.toFixed(1)}): these figures are noise.`
      : "",
    `Calibration loop: ${calibration.loopMs.toFixed(1)} ms (reference ${calibration.referenceMs} ms): bars in milliseconds are multiplied by ${calibration.factor.toFixed(2)}.`,
    "",
    ...(llm.length === 0 ? [] : ["## Chat completions", "", ...table(llm, "direct", "bare", true)]),
    ...(mcp.length === 0 ? [] : ["## tools/call", "", ...table(mcp, "mcp-direct", "mcp-bare", false)]),
    ...figures.notes.map(({ id, note }) => `The lane ${id}: ${note}.`),
    ...figures.skipped.map(({ id, reason }) => `The lane ${id} did not run: ${reason}.`),
    "",
    "## Bars",
    "",
    "| bar | result | figure |",
    "|---|---|---|",
    ...verdicts.map(({ bar, result, detail }) => `| ${bar} | ${result} | ${detail} |`),
    "",
    "Added is more than without a proxy. A lane marked * is above half of what the client reaches without a proxy: its",
    "throughput says as much of the client as of the lane. p99 is of all rounds together.",
    "",
  ];
  return lines.filter((line, at) => line !== "" || lines[at - 1] !== "").join("\n");
}

function table(lanes: readonly LaneFigures[], direct: string, bare: string, streams: boolean): readonly string[] {
  const base = lanes.find(({ id }) => id === bare);
  const heads = [
    "lane",
    "requests/s (least to most)",
    "of bare",
    "processor µs a request",
    "1 connection: added p50, p99 ms",
    "32: p50, p99 ms",
    ...(streams ? ["first byte, 1 stream: added p50 ms", "128 streams: added p50, p99 ms"] : []),
    "RSS MB: started, loaded (children)",
  ];
  const rows = lanes.map((lane) => [
    lane.title,
    `${Math.round(lane.perSecond)}${lane.clientBound ? "*" : ""} (${Math.round(lane.perSecondLeast)} to ${Math.round(lane.perSecondMost)})`,
    base === undefined ? "" : (lane.perSecond / base.perSecond).toFixed(2),
    lane.processorUs?.toFixed(0) ?? "",
    lane.id === direct ? `(${ms(lane.one.p50Ms)}, ${ms(lane.one.p99Ms)})` : added(lane.one),
    `${ms(lane.many.p50Ms)}, ${ms(lane.many.p99Ms)}`,
    ...(streams ? [alone(lane, direct), among(lane, direct)] : []),
    memory(lane),
  ]);
  const dashes = heads.map((_, at) => (at === 0 ? "---" : "--:"));
  return [...[heads, dashes, ...rows].map((cells) => `| ${cells.join(" | ")} |`), ""];
}

function alone({ id, streamAlone }: LaneFigures, direct: string): string {
  if (streamAlone === undefined) return "";
  return id === direct ? `(${ms(streamAlone.p50Ms)})` : ms(streamAlone.addedP50Ms);
}

function among({ id, streamAmong }: LaneFigures, direct: string): string {
  if (streamAmong === undefined) return "";
  return id === direct ? `(${ms(streamAmong.p50Ms)}, ${ms(streamAmong.p99Ms)})` : added(streamAmong);
}

function added({ addedP50Ms, addedP99Ms }: Times): string {
  return `${ms(addedP50Ms)}, ${ms(addedP99Ms)}`;
}

function ms(value: number): string {
  return value.toFixed(3);
}

function memory({ startedMegabytes, loadedMegabytes, childrenMegabytes = 0 }: LaneFigures): string {
  if (loadedMegabytes === undefined) return "";
  const children = childrenMegabytes > 0 ? ` (+ ${megabytes(childrenMegabytes)})` : "";
  return `${megabytes(startedMegabytes)}, ${megabytes(loadedMegabytes)}${children}`;
}

function megabytes(value: number | undefined): string {
  return value === undefined ? "" : value.toFixed(0);
}
