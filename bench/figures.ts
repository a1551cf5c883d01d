import type { Calibration } from "./calibration.ts";
import type { KeyCheckFigures } from "./key-check.ts";

/** Times of exchanges in milliseconds. */
export interface Times {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** More than the way without a proxy: the median of the differences, round by round; for p99, of all rounds together. */
  readonly addedP50Ms: number;
  readonly addedP99Ms: number;
  /** How many exchanges the percentiles are of. */
  readonly exchanges: number;
}

/** What was measured of one lane. */
export interface LaneFigures {
  readonly id: string;
  readonly title: string;
  readonly protocol: "llm" | "mcp";
  /** Requests per second with 32 connections: the median of the rounds, and the extremes. */
  readonly perSecond: number;
  readonly perSecondLeast: number;
  readonly perSecondMost: number;
  /** Of the lane's own processor time in that measurement, for one request; undefined where the system does not tell. */
  readonly processorUs: number | undefined;
  /** Above half of what the client reaches without a proxy: the figure says as much of the client as of the lane. */
  readonly clientBound: boolean;
  /** Whole exchanges with one connection and with 32. */
  readonly one: Times;
  readonly many: Times;
  /** First byte of a stream, alone and among 128; undefined where the lane is not measured for it. */
  readonly streamAlone: Times | undefined;
  readonly streamAmong: Times | undefined;
  readonly startedMegabytes: number | undefined;
  readonly loadedMegabytes: number | undefined;
  /** Of the processes below the lane's own, after the load: nginx's worker, the embedded analytics database. */
  readonly childrenMegabytes: number | undefined;
  /** Answers other than 200 and lost connections in all measurements. */
  readonly errors: number;
}

/** One run of the bench. */
export interface Figures {
  readonly at: string;
  readonly quick: boolean;
  readonly machine: string;
  readonly node: string;
  readonly pinned: boolean;
  /** Processes that wanted a core when the run began, the mean of the minute before. */
  readonly loadAverage: number;
  readonly client: "wrk" | "own";
  readonly alternations: number;
  readonly calibration: Calibration;
  /** Undefined where only some lanes were asked for. */
  readonly keyCheck: KeyCheckFigures | undefined;
  readonly lanes: readonly LaneFigures[];
  readonly notes: readonly { readonly id: string; readonly note: string }[];
  readonly skipped: readonly { readonly id: string; readonly reason: string }[];
}
