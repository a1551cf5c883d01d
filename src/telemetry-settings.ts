import { z } from "zod";
import { urlSchema } from "./url-schema.ts";

const headersSchema = z
  .record(
    z.string().regex(/^[a-z0-9-]{1,64}$/, "a header's name in lower case"),
    z.string().regex(/^[\x20-\x7e]{1,4096}$/, "printable ASCII, at most 4096 characters"),
  )
  .refine((headers) => Object.keys(headers).length <= 20, "at most 20");

/** Where traces, metrics and logs go, if anywhere. */
export const telemetrySettings = z
  .strictObject({
    endpoint: urlSchema.optional().meta({
      title: "OTLP endpoint",
      description:
        "The base address of an OpenTelemetry collector's OTLP/HTTP receiver, such as `http://127.0.0.1:4318`; `/v1/traces`, `/v1/metrics` and `/v1/logs` there are sent JSON. Must be in the network that upstreams may be in. Absent: nothing is sent.",
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
    metricsSeconds: z.int().min(1).max(3_600).default(60).meta({
      title: "Metrics interval",
      description: "Seconds between two times that metrics are sent to the collector.",
    }),
    logs: z.enum(["off", "failures", "all"]).default("failures").meta({
      title: "Exchanges as logs",
      description: "Which operations the collector gets a log record of: those that did not end well, all, or none.",
    }),
    prometheus: z
      .strictObject({
        port: z.int().min(0).max(65_535).optional().meta({
          title: "Prometheus port",
          description:
            "A port of its own on which `/metrics` answers Prometheus. 0 takes any free port. Absent: there is none.",
        }),
        host: z.string().min(1).max(253).default("127.0.0.1").meta({
          title: "Prometheus host",
          description: "The address that this port listens on. Beyond loopback it asks for a token.",
        }),
        token: z
          .string()
          .regex(/^[\x21-\x7e]{16,1024}$/, "16 to 1024 printable characters")
          .optional()
          .meta({
            title: "Prometheus token",
            description: "What `/metrics` asks for as a bearer token. Absent: on loopback it asks for none.",
            secret: true,
          }),
      })
      .prefault({})
      .refine(({ host, token }) => token !== undefined || isLoopback(host), {
        path: ["token"],
        message: "a port beyond loopback asks for a token; make one with: openssl rand -hex 32",
      })
      .meta({ title: "Prometheus" }),
  })
  .prefault({})
  .meta({ title: "Telemetry" });

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}
