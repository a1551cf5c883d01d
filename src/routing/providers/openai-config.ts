import { z } from "zod";
import { httpUrlSchema, secretReferenceSchema } from "../../core/api-spec.ts";

/** In what an OpenAI-shaped provider differs from OpenAI itself: the defaults of its configuration. */
export interface OpenAiDifferences {
  readonly streamUsage?: boolean;
  /** Members of a request that the provider refuses, though they do not change its answer. */
  readonly drop?: readonly string[];
  /** Members that the provider knows by another name, by OpenAI's. */
  readonly rename?: Readonly<Record<string, string>>;
}

/** A name of a header. */
export const headerName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/, "a header's name");
const memberName = z.string().min(1).max(64);

// Framing belongs to HTTP, and the media types to the call; neither is a matter of configuration.
const ownHeaders = /^(host|connection|content-.*|transfer-encoding|te|trailer|upgrade|expect|accept|accept-encoding)$/i;
const credentialHeaders = /authorization|api-?key|token|secret|password|credential|cookie/i;

const extraHeaders = z
  .record(
    headerName.refine((name) => !ownHeaders.test(name) && !credentialHeaders.test(name), {
      message: "this header is set by the gateway, or carries a credential: use `apiKey` and `header` for that",
    }),
    z
      .string()
      .max(1_000)
      .regex(/^[\x20-\x7e]*$/, "printable ASCII only"),
  )
  .default({});

/** An OpenAI-shaped provider's base URL: what stands before `/chat/completions`. */
export const baseUrlSchema = httpUrlSchema.meta(aboutBaseUrl());

/** The same with a provider's own URL as its default. */
export function baseUrlWithDefault(url: string) {
  return httpUrlSchema.default(url).meta(aboutBaseUrl());
}

function aboutBaseUrl() {
  return {
    title: "Base URL",
    description: "What stands before `/chat/completions`. The key goes to this host only.",
  };
}

/** The configuration of an OpenAI-shaped provider, with its own defaults. */
export function openAiConfig<BaseUrl extends z.ZodType<string>>(
  baseUrl: BaseUrl,
  { streamUsage = true, drop = [], rename = {} }: OpenAiDifferences = {},
) {
  return z.strictObject({
    baseUrl,
    apiKey: secretReferenceSchema
      .optional()
      .meta({ title: "API key", description: "The secret that holds the key; no key is sent when absent." }),
    header: headerName
      .refine((name) => !ownHeaders.test(name), "this header is set by the gateway")
      .default("authorization")
      .meta({ title: "Key header", description: "The header that carries the key." }),
    scheme: z
      .string()
      .max(32)
      .regex(/^[A-Za-z]*$/, "a word, or nothing")
      .default("Bearer")
      .meta({ title: "Key scheme", description: "The word before the key; empty for none." }),
    headers: extraHeaders.meta({ title: "Headers", description: "Further headers of each request; no credentials." }),
    streamUsage: z.boolean().default(streamUsage).meta({
      title: "Usage of streams",
      description: "Whether the provider understands `stream_options.include_usage`.",
    }),
    drop: z
      .array(memberName)
      .max(100)
      .default([...drop])
      .meta({ title: "Drop", description: "Top-level members of a request that the provider refuses; left out." }),
    rename: z
      .record(memberName, memberName)
      .refine((names) => Object.keys(names).length <= 100, "100 names at most")
      .default({ ...rename })
      .meta({
        title: "Rename",
        description: "Top-level members that the provider knows by another name, by the name that clients use.",
      }),
  });
}

export type OpenAiConfig = z.output<ReturnType<typeof openAiConfig<typeof baseUrlSchema>>>;
