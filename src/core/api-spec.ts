import { z } from "zod";
import { attachmentsSchema } from "./attachment.ts";
import type { Reference } from "./resource.ts";
import { nameSchema } from "./resource.ts";

/** First path segments that belong to the gateway itself. */
const reservedSegments = ["livez", "readyz", "auth", "api", ".well-known", "metrics", "v0.1"];

export const contextSchema = z
  .string()
  .max(200)
  .regex(/^(\/[A-Za-z0-9][A-Za-z0-9._~-]*)+$/, "start with a slash, do not end with one; letters, digits and . _ ~ -")
  .refine((context) => !reservedSegments.includes(context.split("/")[1] ?? ""), "this path belongs to the gateway")
  .meta({ title: "Context", description: "The whole base path, unique among deployed APIs." });

/** `${secret:name}`, or `${sealed:id}` where the value itself was written: it is sealed before anything else sees it. */
export const secretReferenceSchema = z
  .string()
  .regex(
    /^\$\{(secret:[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?|sealed:isv_[0-9a-f]{24})\}$/,
    "write a reference such as ${secret:openai-key}",
  )
  .meta({
    title: "Secret",
    description: "A reference to a secret in the vault, or the value itself, which is sealed at once and never shown.",
    secret: true,
  });

/** What a secret reader is asked for: the name in `${secret:name}`, the id in `${sealed:id}`. */
export function secretName(reference: string): string {
  return reference.slice(reference.indexOf(":") + 1, -1);
}

export const httpUrlSchema = z
  .url({ protocol: /^https?$/ })
  .max(2000)
  .refine((url) => !URL.canParse(url) || (new URL(url).username === "" && new URL(url).password === ""), {
    message: "put credentials into a secret, not into the URL",
  })
  .refine((url) => !URL.canParse(url) || (new URL(url).hash === "" && new URL(url).search === ""), {
    message: "leave out the query and the fragment",
  })
  .meta({ title: "URL", description: "An absolute http or https URL." });

export const timeoutsSchema = z
  .strictObject({
    connectMs: z.int().min(1).max(60_000).default(5_000).meta({ title: "Connect", description: "Milliseconds." }),
    firstByteMs: z
      .int()
      .min(1)
      .max(3_600_000)
      .default(120_000)
      .meta({ title: "First byte", description: "Milliseconds from the request's last byte to the answer's headers." }),
    idleMs: z
      .int()
      .min(1)
      .max(3_600_000)
      .default(120_000)
      .meta({ title: "Idle", description: "Milliseconds between two pieces of an answer." }),
  })
  .prefault({})
  .meta({ title: "Timeouts" });

export const breakerSchema = z
  .strictObject({
    failures: z.int().min(0).max(1_000).default(5).meta({
      title: "Failures",
      description: "Failures in a row after which a target is left alone; 0 never does that.",
    }),
    openMs: z
      .int()
      .min(100)
      .max(3_600_000)
      .default(10_000)
      .meta({ title: "Rest", description: "Milliseconds until one request may try the target again." }),
    rampMs: z.int().min(0).max(3_600_000).default(10_000).meta({
      title: "Ramp",
      description:
        "Milliseconds in which a target that has recovered gets back to its whole share, where there is another; 0 at once.",
    }),
    longestRestMs: z.int().min(1_000).max(86_400_000).default(300_000).meta({
      title: "Longest rest",
      description: "The most that a target may ask for itself, as by `Retry-After`. Not asked where `failures` is 0.",
    }),
  })
  .prefault({})
  .meta({ title: "Circuit breaker" });

/** A scope as RFC 6749, 3.3 writes it. */
export const scopeSchema = z
  .string()
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/, "printable ASCII without spaces, quotes and backslashes")
  .meta({ title: "Scope" });

/** Of all scopes of an API, so that a token that has them stays below what gateways and proxies take in a header. */
const maxScopeCharacters = 3_000;

const oauthSchema = z
  .union([
    z.literal(false),
    z.strictObject({
      keyManagers: z.array(nameSchema).min(1).max(100).optional().meta({
        title: "Key managers",
        description: "Whose tokens are accepted; of all that are enabled when absent.",
      }),
      scopes: z
        .array(scopeSchema)
        .max(100)
        .default([])
        .refine((scopes) => scopes.join(" ").length <= maxScopeCharacters, {
          message: `at most ${maxScopeCharacters} characters together: tokens travel in a header`,
        })
        .meta({ title: "Scopes", description: "A token needs all of them; one that lacks any gets 403." }),
      audience: z.array(z.string().min(1).max(1_000)).max(20).default([]).meta({
        title: "Audience",
        description: "Accepted in `aud` beside the API's own address, for servers that cannot be told of it.",
      }),
      shared: z.boolean().default(false).meta({
        title: "Shared",
        description: "`true`: clients of other teams may call it without a subscription.",
      }),
      registeredClients: z.boolean().optional().meta({
        title: "Registered clients",
        description:
          "Whether clients that registered themselves, which no team has made, are taken. Absent: by MCP servers only.",
      }),
    }),
  ])
  .default(false)
  .meta({ title: "OAuth", description: "Whether access tokens are accepted, and whose." });

export type OauthSpec = Exclude<z.output<typeof oauthSchema>, false>;

export const securitySchema = z
  .strictObject({
    apiKey: z
      .union([
        z.literal(false),
        z.strictObject({
          header: z
            .string()
            .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/, "a header's name")
            .refine((name) => !["host", "cookie", "content-length", "connection"].includes(name.toLowerCase()))
            .default("apikey")
            .meta({ title: "Header", description: "The header that carries the key, beside `Authorization: Bearer`." }),
        }),
      ])
      .prefault({})
      .meta({ title: "API key", description: "Whether and where API-bound keys are accepted." }),
    oauth: oauthSchema,
    subscription: z.enum(["none", "required"]).default("none").meta({
      title: "Subscription",
      description: "Whether the application of the key or token must be subscribed to this API.",
    }),
    keyless: z.boolean().default(false).meta({
      title: "Keyless",
      description:
        "Asks for no key. Answered to this machine only in development and refused in production, unless `network.allowKeyless` is set.",
    }),
  })
  .prefault({})
  .refine((security) => security.keyless !== (security.apiKey !== false || security.oauth !== false), {
    message: "either accept API keys or OAuth tokens, or say `apiKey: false` and `keyless: true`",
  })
  .meta({ title: "Security" });

export type SecuritySpec = z.output<typeof securitySchema>;

/** The limits that every API has, whatever its protocol. */
export const apiLimitFields = {
  requestBytes: z
    .int()
    .min(1)
    .max(1_073_741_824)
    .default(52_428_800)
    .meta({ title: "Request bytes", description: "The largest request body, counted as it is read." }),
  responseBytes: z
    .int()
    .min(1)
    .max(1_073_741_824)
    .default(67_108_864)
    .meta({ title: "Response bytes", description: "The largest answer, or event of a stream." }),
  jsonDepth: z.int().min(1).max(1_000).default(128).meta({ title: "Depth", description: "Levels of nesting." }),
  deadlineMs: z
    .int()
    .min(100)
    .max(86_400_000)
    .default(3_600_000)
    .meta({ title: "Deadline", description: "Milliseconds for a whole exchange, streams included." }),
};

export const apiLimitsSchema = z.strictObject(apiLimitFields).prefault({}).meta({ title: "Limits" });

export const sameAsProductionSchema = z
  .strictObject({ sameAs: z.literal("production") })
  .meta({ title: "Same as production", description: "Sandbox keys reach the production upstream: said explicitly." });

/** The version that is told of an API, where one has to be told and nobody has said which. */
export const unsaidVersion = "1.0";

/** What every API has, whatever its protocol. */
export const commonApiFields = {
  displayName: z.string().max(200).optional().meta({ title: "Display name" }),
  description: z.string().max(10_000).optional().meta({ title: "Description" }),
  version: z.string().max(30).optional().meta({ title: "Version", description: "The API's own version." }),
  context: contextSchema,
  security: securitySchema,
  limits: apiLimitsSchema,
  policies: attachmentsSchema,
};

/** The key managers that a spec names. */
export function securityReferences({ security }: { readonly security: SecuritySpec }): readonly Reference[] {
  const names = security.oauth === false ? [] : (security.oauth.keyManagers ?? []);
  return names.map((name, index) => ({
    kind: "KeyManager",
    name,
    path: `spec.security.oauth.keyManagers[${index}]`,
  }));
}
