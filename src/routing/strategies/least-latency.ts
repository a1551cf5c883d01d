import { z } from "zod";
import { defineStrategy } from "../../pipeline/define-strategy.ts";
import type { CompiledTarget } from "../../pipeline/target.ts";

const config = z.strictObject({
  halfLifeMs: z
    .int()
    .min(100)
    .max(3_600_000)
    .default(10_000)
    .meta({ title: "Half-life", description: "Milliseconds after which a measured time counts half." }),
  failureMs: z
    .int()
    .min(1)
    .max(600_000)
    .default(10_000)
    .meta({ title: "Failure", description: "Milliseconds that a failed try counts as, however soon it failed." }),
});

/**
 * Two targets drawn at random, the one first of which the next answer is expected sooner: the peak of its times to first
 * byte, which sinks as time goes by, for each request that waits there and one more. A slow answer counts at once, a fast
 * one little by little; a target that nobody knows yet is tried. Measures in this process.
 *
 * Peak EWMA with two choices, as Finagle and linkerd balance.
 * @see https://linkerd.io/2016/03/16/beyond-round-robin-load-balancing-for-latency/
 */
export const leastLatency = defineStrategy({
  id: "least-latency",
  title: "Least latency",
  summary: "The target that is expected to answer first.",
  config,
  examples: [{}, { halfLifeMs: 60_000, failureMs: 30_000 }],
  compile({ halfLifeMs, failureMs }, { clock }) {
    const known = new Map<string, Measured>();
    const draw = createDraw();
    const measuredOf = ({ id }: CompiledTarget): Measured => {
      const measured = known.get(id) ?? { peakMs: 0, atMs: clock.monotonic(), waiting: 0 };
      known.set(id, measured);
      return measured;
    };
    const faded = ({ peakMs, atMs }: Measured): number => peakMs * 0.5 ** ((clock.monotonic() - atMs) / halfLifeMs);
    const expected = (target: CompiledTarget): number => {
      const measured = measuredOf(target);
      return faded(measured) * (measured.waiting + 1);
    };
    return {
      choose(targets) {
        if (targets.length < 2) return targets;
        const one = draw(targets.length);
        const other = (one + 1 + draw(targets.length - 1)) % targets.length;
        const drawn = [targets[one], targets[other]].filter((target) => target !== undefined);
        const best = drawn.toSorted((left, right) => expected(left) - expected(right));
        const rest = targets.filter((target) => !drawn.includes(target));
        return [...best, ...rest.toSorted((left, right) => expected(left) - expected(right))];
      },
      tried(target) {
        measuredOf(target).waiting += 1;
      },
      ended(target, { tookMs, health }) {
        const measured = measuredOf(target);
        measured.waiting = Math.max(measured.waiting - 1, 0);
        if (health === "unknown") return;
        const took = health === "bad" ? Math.max(tookMs, failureMs) : tookMs;
        const kept = 0.5 ** ((clock.monotonic() - measured.atMs) / halfLifeMs);
        measured.peakMs = Math.max(took, measured.peakMs * kept + took * (1 - kept));
        measured.atMs = clock.monotonic();
      },
    };
  },
});

interface Measured {
  peakMs: number;
  atMs: number;
  /** Tries that wait for their first byte. */
  waiting: number;
}

/** Numbers below `count`, well spread and always the same ones: nobody's secret hangs on them. */
function createDraw(): (count: number) => number {
  let state = 0x2545f491;
  return (count) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % count;
  };
}
