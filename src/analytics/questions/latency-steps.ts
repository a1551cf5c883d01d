import { z } from "zod";
import { atSchema, defineQuestion, millisecondsSchema } from "./define-question.ts";

const levels = [50, 95, 99] as const;
const times = {
  total: "duration_ms",
  gateway: "if(upstream_ms IS NULL, duration_ms, greatest(duration_ms - upstream_ms, 0))",
  upstream: "upstream_ms",
  firstByte: "first_byte_ms",
} as const;

/** How long requests took over time, and where. */
export const latencySteps = defineQuestion({
  id: "latency-steps",
  title: "Latency over time",
  description:
    "Percentiles of the whole time, of the gateway's own part, of the upstream's, and until the first byte. Of operations that were let through; what clients broke off is left out.",
  component: "LatencyStep",
  hasSteps: true,
  row: {
    at: atSchema,
    requests: z.int(),
    totalP50: millisecondsSchema,
    totalP95: millisecondsSchema,
    totalP99: millisecondsSchema,
    gatewayP50: millisecondsSchema,
    gatewayP95: millisecondsSchema,
    gatewayP99: millisecondsSchema,
    upstreamP50: millisecondsSchema,
    upstreamP95: millisecondsSchema,
    upstreamP99: millisecondsSchema,
    firstByteP50: millisecondsSchema,
    firstByteP95: millisecondsSchema,
    firstByteP99: millisecondsSchema,
  },
  sql({ where, step }) {
    const columns = Object.entries(times).flatMap(([name, column]) =>
      levels.map((level) => `round(quantileTDigest(0.${level})(${column}), 3) AS ${name}P${level}`),
    );
    return `SELECT ${step} AS at, count() AS requests, ${columns.join(", ")}
FROM {db}.exchanges WHERE ${where} AND outcome IN ('ok', 'failed', 'upstream_error')
GROUP BY at ORDER BY at`;
  },
});
