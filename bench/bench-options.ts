import { parseArgs } from "node:util";
import { lanes } from "./lanes/index.ts";
import type { Lane } from "./lanes/lane.ts";

/** How much is measured, and of what. */
export interface BenchOptions {
  readonly lanes: readonly Lane[];
  /** All lanes; only then can every bar be judged. */
  readonly complete: boolean;
  /** A look, whose figures are not to be published. */
  readonly quick: boolean;
  /** Rounds over all lanes. */
  readonly alternations: number;
  /** Of one throughput measurement. */
  readonly seconds: number;
  /** Requests of one latency measurement. */
  readonly requests: number;
  /** Streams of one measurement, one after the other. */
  readonly singleStreams: number;
  /** Streams of one measurement for each of the 128 connections. */
  readonly streamsEach: number;
}

export const help = `npm run bench -- [--quick] [--lanes ${lanes.map(({ id }) => id).join(",")}]
                 [--alternations N]   rounds over all lanes; 5 unless told, 2 when quick
                 [--seconds N]        of each throughput measurement; 4 unless told, 1 when quick
                 [--requests N]       of each latency measurement; 4,000 unless told, 300 when quick`;

/** Reads the command line. Throws with a sentence when it cannot be understood. */
export function benchOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean", default: false },
      lanes: { type: "string" },
      alternations: { type: "string" },
      seconds: { type: "string" },
      requests: { type: "string" },
    },
  });
  const { quick } = values;
  const names = values.lanes?.split(",");
  const unknown = names?.filter((name) => !lanes.some(({ id }) => id === name)) ?? [];
  if (unknown.length > 0) throw new Error(`there is no lane ${unknown.join(", ")}\n\n${help}`);
  const chosen = names === undefined ? lanes : lanes.filter(({ id }) => names.includes(id));
  // What a lane adds is told against the way without it.
  const needed = lanes.filter(
    ({ id, protocol }) => id.endsWith("direct") && chosen.some((lane) => lane.protocol === protocol),
  );
  return {
    lanes: lanes.filter((lane) => chosen.includes(lane) || needed.includes(lane)),
    complete: names === undefined,
    quick,
    alternations: count("alternations", values.alternations, quick ? 2 : 5),
    seconds: count("seconds", values.seconds, quick ? 1 : 4),
    requests: count("requests", values.requests, quick ? 300 : 4_000),
    singleStreams: quick ? 4 : 20,
    streamsEach: quick ? 1 : 6,
  };
}

function count(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 1_000_000)
    throw new Error(`--${name} is a whole number from 1\n\n${help}`);
  return value;
}
