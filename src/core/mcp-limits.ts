import { z } from "zod";
import { apiLimitFields } from "./api-spec.ts";

interface Bound {
  readonly min: number;
  readonly max: number;
  readonly default: number;
  readonly title: string;
  readonly description: string;
}

const bounds = {
  headerBytes: {
    min: 512,
    max: 65_536,
    default: 16_384,
    title: "Header bytes",
    description: "Names and values of a request's headers. Over HTTP/1.1 the listener takes no more than 16 KiB.",
  },
  batchMessages: {
    min: 1,
    max: 1_000,
    default: 50,
    title: "Batch",
    description: "Messages of one batch, in the one version that has batches.",
  },
  metaBytes: {
    min: 256,
    max: 1_048_576,
    default: 65_536,
    title: "_meta bytes",
    description: "The `_meta` of a request, as JSON.",
  },
  cursorLength: {
    min: 16,
    max: 65_536,
    default: 8_192,
    title: "Cursor",
    description: "Characters of a list's cursor, as the client sends it back.",
  },
  nameLength: {
    min: 1,
    max: 65_536,
    default: 8_192,
    title: "Name",
    description: "Characters of the name or the URI that a request is for.",
  },
  messageBytes: {
    min: 256,
    max: 1_073_741_824,
    default: 33_554_432,
    title: "Message bytes",
    description: "One message of the server's, such as a tool's result.",
  },
  eventBytes: {
    min: 256,
    max: 1_073_741_824,
    default: 33_554_432,
    title: "Event bytes",
    description: "One event of a stream of the server's, and so what is held of one that has no end.",
  },
  streamEvents: {
    min: 1,
    max: 100_000,
    default: 100_000,
    title: "Events",
    description: "Messages on one stream. A stream of news ends then, and its client opens the next.",
  },
  streamMs: {
    min: 100,
    max: 604_800_000,
    default: 86_400_000,
    title: "Stream duration",
    description: "Milliseconds that a stream of news is open; `deadlineMs` bounds all else.",
  },
  streamIdleMs: {
    min: 100,
    max: 604_800_000,
    default: 86_400_000,
    title: "Stream idle",
    description: "Milliseconds without a message after which a stream of news ends.",
  },
  streamsPerCaller: {
    min: 1,
    max: 100_000,
    default: 1_000,
    title: "Streams",
    description: "Streams of news that one key or user has open at one gateway.",
  },
  sessionsPerCaller: {
    min: 1,
    max: 100_000,
    default: 10_000,
    title: "Sessions",
    description: "Sessions of one key or user at one gateway. One more ends the one that was not used for longest.",
  },
  sessionMs: {
    min: 1_000,
    max: 2_592_000_000,
    default: 604_800_000,
    title: "Session duration",
    description: "Milliseconds after which a session's id is no good any more, at whichever gateway.",
  },
  listEntries: {
    min: 1,
    max: 100_000,
    default: 10_000,
    title: "List entries",
    description: "Tools, prompts or resources in one list of the server's.",
  },
  listPages: {
    min: 1,
    max: 1_000,
    default: 100,
    title: "List pages",
    description: "Pages that a virtual server reads of one list of one of its servers.",
  },
  schemaDepth: {
    min: 1,
    max: 500,
    default: 64,
    title: "Schema depth",
    description: "Levels of nesting within one schema of a tool.",
  },
  schemaParts: {
    min: 1,
    max: 100_000,
    default: 10_000,
    title: "Schema parts",
    description: "Objects within one schema of a tool, subschemas among them.",
  },
  schemaSteps: {
    min: 1_000,
    max: 10_000_000,
    default: 500_000,
    title: "Schema steps",
    description:
      "What checking one call's arguments may take, where the gateway checks them: some 10 million a second.",
  },
} as const satisfies Record<string, Bound>;

function limit({ min, max, default: usual, title, description }: Bound) {
  return z.int().min(min).max(max).default(usual).meta({ title, description });
}

// Written out rather than mapped: a mapped object would lose the names.
/** `spec.limits` of an MCP server: what every API has, and what lists, streams, sessions and schemas may take. */
export const mcpLimitsSchema = z
  .strictObject({
    ...apiLimitFields,
    headerBytes: limit(bounds.headerBytes),
    batchMessages: limit(bounds.batchMessages),
    metaBytes: limit(bounds.metaBytes),
    cursorLength: limit(bounds.cursorLength),
    nameLength: limit(bounds.nameLength),
    messageBytes: limit(bounds.messageBytes),
    eventBytes: limit(bounds.eventBytes),
    streamEvents: limit(bounds.streamEvents),
    streamMs: limit(bounds.streamMs),
    streamIdleMs: limit(bounds.streamIdleMs),
    streamsPerCaller: limit(bounds.streamsPerCaller),
    sessionsPerCaller: limit(bounds.sessionsPerCaller),
    sessionMs: limit(bounds.sessionMs),
    listEntries: limit(bounds.listEntries),
    listPages: limit(bounds.listPages),
    schemaDepth: limit(bounds.schemaDepth),
    schemaParts: limit(bounds.schemaParts),
    schemaSteps: limit(bounds.schemaSteps),
  })
  .prefault({})
  .meta({ title: "Limits" });

export type McpLimits = z.output<typeof mcpLimitsSchema>;

/** The name of a limit, as `spec.limits` has it. */
export type McpLimitName = keyof McpLimits;
