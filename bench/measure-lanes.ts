import type { BenchOptions } from "./bench-options.ts";
import type { LoadOrder, LoadResult } from "./clients/load-order.ts";
import { measureLoad, measureThroughput } from "./clients/run-load.ts";
import type { Lane, RunningLane } from "./lanes/lane.ts";
import type { ProcessUse } from "./process-use.ts";
import { processUse } from "./process-use.ts";

/** Concurrency of the throughput figures, and of the streams that run side by side. */
export const connections = 32;
export const streams = 128;

/**
 * Seconds of load before each measurement. While the others are measured a lane rests for minutes, and V8 lets go of the
 * compiled code of what rests, in every lane that is Node: what is measured is a gateway with traffic.
 */
const wakeSeconds = 2;

/** One lane's raw figures, one entry a round. */
export interface Rounds {
  readonly lane: Lane;
  readonly running: RunningLane;
  readonly startedMegabytes: number | undefined;
  loaded: ProcessUse | undefined;
  readonly perSecond: number[];
  /** Processor time of the lane per request, in microseconds: says the same on a busy machine as on a quiet one. */
  readonly processorUs: number[];
  readonly one: LoadResult[];
  readonly many: LoadResult[];
  readonly streamAlone: LoadResult[];
  readonly streamAmong: LoadResult[];
  client: "wrk" | "own";
  errors: number;
}

/** A lane that has just been started, with nothing measured. */
export function emptyRounds(lane: Lane, running: RunningLane): Rounds {
  return {
    lane,
    running,
    startedMegabytes: running.pid === undefined ? undefined : processUse(running.pid)?.ownMegabytes,
    loaded: undefined,
    perSecond: [],
    processorUs: [],
    one: [],
    many: [],
    streamAlone: [],
    streamAmong: [],
    client: "own",
    errors: 0,
  };
}

/** Lets the lane compile what it runs often, and finds out whether it answers at all. */
export async function warmUp({ lane, running }: Rounds, options: BenchOptions): Promise<void> {
  const order = orderFor(lane, running, false);
  const first = await measureLoad({ ...order, connections: 1, requests: 5 });
  if (first.errors > 0) throw new Error(`the lane ${lane.id} does not answer with 200`);
  await measureLoad({ ...order, connections, seconds: options.quick ? 1 : 5 });
  if (lane.streams) await measureLoad({ ...orderFor(lane, running, true), connections: streams, requests: streams });
  running.settle?.();
}

/** One round: every lane once, each after the other, so that a slow minute of the machine meets all alike. */
export async function measureRound(
  all: readonly Rounds[],
  options: BenchOptions,
  tell: (line: string) => void,
): Promise<void> {
  for (const rounds of all) {
    const { lane, running } = rounds;
    const order = orderFor(lane, running, false);
    if (!options.quick) await measureLoad({ ...order, connections, seconds: wakeSeconds });
    const before = running.pid === undefined ? undefined : processUse(running.pid);
    const throughput = await measureThroughput({ ...order, connections, seconds: options.seconds });
    const after = running.pid === undefined ? undefined : processUse(running.pid);
    const { perSecond, errors, client } = throughput;
    rounds.perSecond.push(perSecond);
    if (before !== undefined && after !== undefined) {
      rounds.processorUs.push(((after.processorSeconds - before.processorSeconds) * 1e6) / throughput.requests);
    }
    rounds.client = client;
    rounds.errors += errors;
    keep(rounds, rounds.one, await measureLoad({ ...order, connections: 1, requests: options.requests }));
    keep(rounds, rounds.many, await measureLoad({ ...order, connections, requests: options.requests }));
    if (lane.streams) {
      const stream = orderFor(lane, running, true);
      keep(
        rounds,
        rounds.streamAlone,
        await measureLoad({ ...stream, connections: 1, requests: options.singleStreams }),
      );
      const among = { ...stream, connections: streams, requests: streams * options.streamsEach, staggerMs: 200 };
      keep(rounds, rounds.streamAmong, await measureLoad(among));
    }
    if (running.pid !== undefined) rounds.loaded = processUse(running.pid);
    tell(`  ${lane.id.padEnd(20)} ${Math.round(perSecond).toString().padStart(7)} requests/s`);
  }
}

function keep(rounds: Rounds, list: LoadResult[], result: LoadResult): void {
  rounds.errors += result.errors;
  list.push(result);
}

function orderFor({ protocol }: Lane, { url, headers }: RunningLane, stream: boolean): Omit<LoadOrder, "connections"> {
  const accept = protocol === "mcp" ? { accept: "application/json, text/event-stream" } : {};
  const common = { "content-type": "application/json", ...accept, ...headers };
  return {
    url,
    headers: common,
    body: protocol === "mcp" ? toolCall : chatRequest(stream),
    warmUps: stream ? 2 : 300,
  };
}

const toolCall = JSON.stringify({
  jsonrpc: "2.0",
  id: 7,
  method: "tools/call",
  params: { name: "tide-table", arguments: { harbour: "North quay", day: "2026-03-01", unit: "metres" } },
});

function chatRequest(stream: boolean): string {
  return JSON.stringify({
    model: "bench-1",
    messages: [
      { role: "system", content: "You are the keeper of a lighthouse and answer in one paragraph." },
      { role: "user", content: "Which ships are expected before the evening tide, and what do they carry?" },
    ],
    temperature: 0.2,
    ...(stream && { stream: true }),
  });
}
