import { z } from "zod";
import { auditSettings } from "./audit-settings.ts";
import { clickhouseSettings } from "./clickhouse-settings.ts";
import { controlSettings } from "./control-settings.ts";
import { keyIdPattern, maxKeys } from "./core/keyring.ts";
import { embeddingSettings } from "./embedding-settings.ts";
import { checkPlanes, gatewaySettings, planesSetting } from "./gateway-settings.ts";
import { isCidr } from "./kernel/cidr-set.ts";
import { mcpSettings } from "./mcp-settings.ts";
import { oauthSettings } from "./oauth-settings.ts";
import { redisSettings } from "./redis-settings.ts";
import { signInConfig } from "./sign-in-config.ts";
import { telemetrySettings } from "./telemetry-settings.ts";
import { urlSchema } from "./url-schema.ts";

const cidrSchema = z.string().max(64).refine(isCidr, "an IP address or a CIDR range, such as 10.0.0.0/8 or fd00::/8");

/** The shortest admin token that production accepts, in characters. */
const productionTokenCharacters = 16;

const keySchema = z.string().regex(/^[0-9a-fA-F]{64}$/, "64 hex digits; make them with: openssl rand -hex 32");
const keyIdSchema = z.string().regex(keyIdPattern, "letters, digits, dots and hyphens, at most 40");
const keyTextSchema = z.string().refine((text) => {
  const [id, key] = text.includes(":") ? text.split(/:(.*)/s, 2) : [undefined, text];
  return keySchema.safeParse(key).success && (id === undefined || keyIdPattern.test(id));
}, "64 hex digits, or ID:HEX; make a key with: openssl rand -hex 32");

const portSchema = z.int().min(0).max(65_535);
const fileSchema = z.string().min(1).max(4_096);

/** Everything that can be configured: the members of `gatehouse.yaml`. `secret` values are never printed. */
export const configSchema = z
  .strictObject({
    env: z.enum(["development", "production"]).default("development").meta({
      title: "Environment",
      description:
        "`production` has no quickstart, makes no keys of its own, and refuses what is only fit for trying out.",
    }),
    planes: planesSetting,
    gateway: gatewaySettings,
    dataDir: fileSchema.default(".gatehouse").meta({
      title: "Data directory",
      description: "Where everything is kept. One process owns it at a time.",
    }),
    host: z.string().min(1).max(255).default("127.0.0.1").meta({
      title: "Gateway host",
      description: "The address that the gateway listens on. Loopback unless told otherwise.",
    }),
    port: portSchema.default(8080).meta({ title: "Gateway port", description: "0 takes any free port." }),
    controlHost: z.string().min(1).max(255).default("127.0.0.1").meta({
      title: "Control host",
      description: "The address that the control plane listens on.",
    }),
    controlPort: portSchema.default(9090).meta({ title: "Control port", description: "0 takes any free port." }),
    publicUrl: urlSchema.optional().meta({
      title: "Public URL",
      description: "How clients reach the gateway, when that is not its host and port.",
    }),
    controlUrl: urlSchema.optional().meta({
      title: "Control URL",
      description: "How people and tools reach the control plane, when that is not its host and port.",
    }),
    adminToken: z
      .string()
      .regex(/^[\x21-\x7e]{1,500}$/, "printable ASCII without spaces, at most 500 characters")
      .optional()
      .meta({
        title: "Admin token",
        description: "Opens the control API. Absent: the file `admin.token` in the data directory.",
        secret: true,
      }),
    encryptionKey: keySchema.optional().meta({
      title: "Encryption key",
      description: "Seals secrets: 64 hex digits. Absent: the file `encryption.key` in the data directory.",
      secret: true,
    }),
    encryptionKeys: z
      .array(z.union([keyTextSchema, z.strictObject({ id: keyIdSchema, key: keySchema })]))
      .min(1)
      .max(maxKeys)
      .optional()
      .meta({
        title: "Encryption keys",
        description:
          "Several, for rotation: the first seals, all of them open. Each is 64 hex digits, or `ID:HEX`; in the file also `{id, key}`.",
        secret: true,
      }),
    allowedHosts: z
      .array(z.string().regex(/^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?$/, "a host, or host:port"))
      .max(1_000)
      .default([])
      .meta({
        title: "Allowed hosts",
        description: "Hosts accepted in `Host` and `Origin`, beside those of the two URLs and loopback.",
      }),
    trustedProxies: z.array(cidrSchema).max(1_000).default([]).meta({
      title: "Trusted proxies",
      description: "Addresses of proxies in front whose word on the client's address is taken.",
    }),
    tls: z
      .strictObject({
        certFile: fileSchema.meta({ title: "Certificate", description: "A PEM file with the whole chain." }),
        keyFile: fileSchema.meta({ title: "Private key", description: "A PEM file." }),
      })
      .optional()
      .meta({ title: "TLS", description: "Turns on TLS and HTTP/2 at the gateway. Read again when the files change." }),
    network: z
      .strictObject({
        allowCidrs: z.array(cidrSchema).max(1_000).optional().meta({
          title: "Permitted ranges",
          description:
            "Ranges that are not public and that upstreams may be in. Absent: loopback and private ones in development, none in production.",
        }),
        allowKeyless: z.boolean().default(false).meta({
          title: "Keyless for everybody",
          description:
            "Answers APIs that say `keyless: true` to anybody, in production too. `false`: to this machine only in development, and refused in production.",
        }),
      })
      .prefault({})
      .meta({ title: "Network" }),
    logLevel: z
      .enum(["debug", "info", "warn", "error", "silent"])
      .default("info")
      .meta({ title: "Log level", description: "The least that is logged." }),
    limits: z
      .strictObject({
        maxConnections: z.int().min(1).max(1_000_000).default(10_000).meta({
          title: "Connections",
          description: "Open client connections on each port.",
        }),
        headersTimeoutMs: z.int().min(100).max(600_000).default(15_000).meta({
          title: "Headers timeout",
          description: "Milliseconds within which a request's headers must have arrived.",
        }),
        requestTimeoutMs: z.int().min(100).max(3_600_000).default(300_000).meta({
          title: "Request timeout",
          description: "Milliseconds within which a whole request must have arrived.",
        }),
        drainTimeoutMs: z.int().min(0).max(3_600_000).default(20_000).meta({
          title: "Drain timeout",
          description: "Milliseconds that running requests are given when the process is asked to stop.",
        }),
        spoolBytes: z.int().min(1_048_576).max(1_099_511_627_776).default(268_435_456).meta({
          title: "Spool size",
          description: "Bytes of recorded events kept on disk; the oldest go first.",
        }),
      })
      .prefault({})
      .meta({ title: "Limits" }),
    analytics: z
      .strictObject({
        events: z.enum(["record", "off"]).default("record").meta({
          title: "Events",
          description: "Whether each exchange and each upstream attempt leaves an event. `off` keeps none, for good.",
        }),
        mode: z.enum(["embedded", "server", "off"]).optional().meta({
          title: "Analytics",
          description:
            "Where recorded events go: to the embedded ClickHouse, to a server, or only to the spool. Absent: to the server when `clickhouse.url` is set, else to the embedded one.",
        }),
        memoryBytes: z.int().min(268_435_456).max(1_099_511_627_776).default(1_073_741_824).meta({
          title: "Memory of the embedded ClickHouse",
          description: "Bytes that its process may hold for its work.",
        }),
        retentionDays: z.int().min(1).max(36_500).default(400).meta({
          title: "Retention",
          description:
            "Days that rows are kept in the analytics store. The tables are changed when the store is first used after a start.",
        }),
      })
      .prefault({})
      .meta({ title: "Analytics" }),
    embedding: embeddingSettings,
    clickhouse: clickhouseSettings,
    redis: redisSettings,
    telemetry: telemetrySettings,
    legacyApplicationKeys: z.boolean().default(false).meta({
      title: "Keys of applications",
      description:
        "Allows API keys without an API, which open every API that their application is subscribed to. `false`: none can be made, and those that were open nothing.",
    }),
    mcp: mcpSettings,
    oauth: oauthSettings,
    control: controlSettings,
    audit: auditSettings,
    signIn: signInConfig,
    quickstart: z
      .strictObject({
        openaiApiKey: z.string().min(1).max(4_096).optional().meta({
          title: "OpenAI key",
          description: "In development, puts an LLM API `openai` beside the demonstration.",
          env: "OPENAI_API_KEY",
          secret: true,
        }),
        // Not checked here: the variable belongs to other programs too, and must not keep this one from starting.
        openaiBaseUrl: z.string().default("https://api.openai.com/v1").meta({
          title: "OpenAI base URL",
          description: "Where that key is good: anything that speaks OpenAI's dialect. An unusable one is passed over.",
          env: "OPENAI_BASE_URL",
          format: "uri",
        }),
        openaiModel: z.string().min(1).max(256).default("gpt-4o-mini").meta({
          title: "OpenAI model",
          description: "The model that the printed lines ask for.",
          env: "OPENAI_MODEL",
        }),
      })
      .prefault({})
      .meta({ title: "Quickstart" }),
  })
  .refine(
    ({ env, adminToken }) =>
      env !== "production" || adminToken === undefined || adminToken.length >= productionTokenCharacters,
    {
      path: ["adminToken"],
      message: `production asks for ${productionTokenCharacters} characters or more; make them with: openssl rand -hex 32`,
    },
  )
  .refine(({ encryptionKey, encryptionKeys }) => encryptionKey === undefined || encryptionKeys === undefined, {
    path: ["encryptionKeys"],
    message: "set this or encryptionKey, not both; the first of these is the current one",
  })
  .superRefine(checkPlanes)
  .refine(({ analytics, clickhouse }) => analytics.mode !== "server" || clickhouse.url !== undefined, {
    path: ["clickhouse", "url"],
    message: "analytics.mode is `server`, so this must name one; CLICKHOUSE_URL does",
  });

/** The configuration with every default in place; file paths are absolute. */
export type Config = z.output<typeof configSchema>;

/** One thing that can be set. */
export interface Setting {
  /** Dotted, as in the file: `limits.drainTimeoutMs`. */
  readonly name: string;
  readonly env: string;
  readonly type: "string" | "integer" | "number" | "boolean" | "array" | "mapping";
  readonly title: string;
  readonly description: string;
  readonly secret: boolean;
  readonly schema: JsonSchema;
}

/** Every setting, in the order of the schema. */
export function listSettings(): readonly Setting[] {
  return settingsOf(z.toJSONSchema(configSchema, { io: "input" }), "");
}

/** What a configuration has for a setting; undefined when it is not set. */
export function settingValue(config: Config, name: string): unknown {
  return name
    .split(".")
    .reduce<unknown>((at, key) => (typeof at === "object" && at !== null ? Reflect.get(at, key) : undefined), config);
}

function settingsOf(schema: JsonSchema, prefix: string): readonly Setting[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, member]) => {
    if (typeof member === "boolean") return [];
    const name = `${prefix}${key}`;
    if (member.properties !== undefined) return settingsOf(member, `${name}.`);
    const type = typeOf(member);
    const env = typeof member["env"] === "string" ? member["env"] : variableName(name);
    const secret = member["secret"] === true;
    return [
      { name, env, type, title: member.title ?? name, description: member.description ?? "", secret, schema: member },
    ];
  });
}

function typeOf({ type }: JsonSchema): Setting["type"] {
  if (type === "object") return "mapping";
  return type === "integer" || type === "number" || type === "boolean" || type === "array" ? type : "string";
}

function variableName(name: string): string {
  return `GATEHOUSE_${name
    .replace(/\./g, "_")
    .replace(/(?<=[a-z])(?=[A-Z])/g, "_")
    .toUpperCase()}`;
}

type JsonSchema = z.core.JSONSchema.JSONSchema;
