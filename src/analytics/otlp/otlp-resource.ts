import { otlpAttributes } from "./otlp-values.ts";
import { telemetryNames } from "./telemetry-names.ts";

/** Who sends. */
export interface OtlpSource {
  /** This gateway's name. */
  readonly node: string;
  readonly version: string;
}

/** The resource that spans, metrics and logs of one process have in common. */
export function otlpResource({ node, version }: OtlpSource): object {
  return {
    attributes: otlpAttributes({
      [telemetryNames.serviceName]: "gatehouse",
      [telemetryNames.serviceVersion]: version,
      [telemetryNames.serviceInstance]: node,
    }),
  };
}

/** The instrumentation scope of all of them. */
export function otlpScope({ version }: OtlpSource): object {
  return { name: "gatehouse", version };
}
