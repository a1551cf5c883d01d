import { z } from "zod";
import { urlSchema } from "./url-schema.ts";

const headersSchema = z
  .record(
    z.string().regex(/^[a-z0-9-]{1,64}$/, "a header's name in lower case"),
    z.string().regex(/^[\x20-\x7e]{1,4096}$/, "printable ASCII, at most 4096 characters"),
  )
  .refine((headers) => Object.keys(headers).length <= 20, "at most 20");

/** Where traces go, if anywhere. */
export const telemetrySettings = z
  .strictObject({
    endpoint: urlSchema.optional().meta({
      title: "OTLP endpoint",
      description:
        "The base address of an OpenTelemetry collector's OTLP/HTTP receiver, such as `http://127.0.0.1:4318`; traces go to `/v1/traces` there, as JSON. Must be in the network that upstreams may be in. Absent: none are made.",
    }),
    headers: headersSchema.default({}).meta({
      title: "OTLP headers",
      description: "Headers that the collector is shown, such as `authorization`. In the variable as JSON.",
      secret: true,
    }),
    sampleRatio: z.number().min(0).max(1).default(1).meta({
      title: "Sample ratio",
      description:
        "The share of traces that are kept, of those that begin here. A caller's `traceparent` decides for its own.",
    }),
  })
  .prefault({})
  .meta({ title: "Telemetry" });
