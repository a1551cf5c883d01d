import type { EventValue } from "../../pipeline/event.ts";

/** An attribute in OTLP's JSON: whole numbers are text there, 64 bits long. */
export interface OtlpAttribute {
  readonly key: string;
  readonly value:
    | { readonly stringValue: string }
    | { readonly intValue: string }
    | { readonly doubleValue: number }
    | { readonly boolValue: boolean };
}

export type TelemetryValues = Readonly<Record<string, EventValue | undefined>>;

const longestText = 1_024;

/**
 * Attributes of what is known: null, undefined and empty texts are left out, lists become one text, and texts are cut at
 * 1,024 characters.
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
export function otlpAttributes(values: TelemetryValues): OtlpAttribute[] {
  return Object.entries(values).flatMap(([key, value]): OtlpAttribute[] => {
    if (value === null || value === undefined || value === "") return [];
    if (typeof value === "boolean") return [{ key, value: { boolValue: value } }];
    if (typeof value !== "number") return [{ key, value: { stringValue: String(value).slice(0, longestText) } }];
    return [{ key, value: Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value } }];
  });
}

/** Milliseconds since the epoch as OTLP's nanoseconds, exact to the microsecond. */
export function unixNano(ms: number): string {
  return String(BigInt(Math.round(ms * 1_000)) * 1_000n);
}
