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

/** The JSON of what `otlpAttributes` makes of the values. Spans have many, and objects for each would cost the most of them. */
export function attributesJson(values: TelemetryValues): string {
  let json = "";
  for (const key in values) {
    const value = valueJson(values[key]);
    if (value !== "") json += `${json === "" ? "" : ","}{"key":"${key}","value":${value}}`;
  }
  return `[${json}]`;
}

/** The JSON of a text. */
export function textJson(text: string): string {
  return plain.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** What JSON has as it is. */
const plain = /^[ !#-[\]-~]*$/;

function valueJson(value: EventValue | undefined): string {
  switch (typeof value) {
    case "boolean":
      return `{"boolValue":${value}}`;
    case "number":
      return Number.isInteger(value) ? `{"intValue":"${value}"}` : `{"doubleValue":${JSON.stringify(value)}}`;
    case "string":
      return value === "" ? "" : `{"stringValue":${textJson(value.slice(0, longestText))}}`;
    default:
      return value === null || value === undefined
        ? ""
        : `{"stringValue":${textJson(String(value).slice(0, longestText))}}`;
  }
}

/** Milliseconds since the epoch as OTLP's nanoseconds, exact to the microsecond. */
export function unixNano(ms: number): string {
  return `${Math.round(ms * 1_000)}000`;
}
