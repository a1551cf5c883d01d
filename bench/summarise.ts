import type { LoadResult } from "./clients/load-order.ts";
import type { LaneFigures, Times } from "./figures.ts";
import type { Rounds } from "./measure-lanes.ts";
import { median, percentile } from "./statistics.ts";

/** The figures of every lane, each told against the way without a proxy of its own protocol. */
export function summarise(all: readonly Rounds[]): readonly LaneFigures[] {
  return all.flatMap((rounds) => {
    const { lane } = rounds;
    const direct = all.find((each) => each.lane.protocol === lane.protocol && each.running.pid === undefined);
    if (direct === undefined) return [];
    const isDirect = direct === rounds;
    const perSecond = median(rounds.perSecond);
    return [
      {
        id: lane.id,
        title: lane.title,
        protocol: lane.protocol,
        perSecond,
        perSecondLeast: Math.min(...rounds.perSecond),
        perSecondMost: Math.max(...rounds.perSecond),
        processorUs: rounds.processorUs.length === 0 ? undefined : median(rounds.processorUs),
        clientBound: !isDirect && perSecond > median(direct.perSecond) / 2,
        one: times(rounds.one, direct.one, wholeTimes),
        many: times(rounds.many, direct.many, wholeTimes),
        streamAlone: lane.streams ? times(rounds.streamAlone, direct.streamAlone, firstBytes) : undefined,
        streamAmong: lane.streams ? times(rounds.streamAmong, direct.streamAmong, firstBytes) : undefined,
        startedMegabytes: rounds.startedMegabytes,
        loadedMegabytes: rounds.loaded?.ownMegabytes,
        childrenMegabytes: rounds.loaded && rounds.loaded.megabytes - rounds.loaded.ownMegabytes,
        errors: rounds.errors,
      },
    ];
  });
}

type Take = (result: LoadResult) => readonly number[];

const wholeTimes: Take = ({ wholeUs }) => wholeUs;
const firstBytes: Take = ({ firstByteUs }) => firstByteUs;

function times(own: readonly LoadResult[], direct: readonly LoadResult[], take: Take): Times {
  const ownP50 = own.map((result) => percentile(take(result), 0.5));
  const directP50 = direct.map((result) => percentile(take(result), 0.5));
  const all = own.flatMap(take);
  const p99 = percentile(all, 0.99);
  return {
    p50Ms: median(ownP50) / 1_000,
    p99Ms: p99 / 1_000,
    addedP50Ms: median(ownP50.map((us, round) => us - (directP50[round] ?? Number.NaN))) / 1_000,
    addedP99Ms: (p99 - percentile(direct.flatMap(take), 0.99)) / 1_000,
    exchanges: all.length,
  };
}
