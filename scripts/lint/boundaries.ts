/**
 * The one table of who may import what. The linter's own rules and the gates under `test/gates` read it, and
 * `docs/architecture.md` tells it in words. Folders and files are relative to `src/`.
 */
export const layers = [
  { level: 0, members: ["kernel"], siblings: "none" },
  { level: 1, members: ["core", "pipeline", "embedding"], siblings: [["pipeline", "core"]] },
  {
    level: 2,
    members: ["identity", "policies", "guardrails", "routing", "mcp", "governance", "analytics"],
    siblings: "none",
  },
  { level: 3, members: ["gateway", "control", "store"], siblings: "none" },
  { level: 4, members: ["cli", "quickstart", "*.ts"], siblings: "all" },
] as const satisfies readonly Layer[];

interface Layer {
  readonly level: number;
  /** Folders; `*.ts` is the files that stand directly in `src/` (config.ts, main.ts, cli.ts). */
  readonly members: readonly string[];
  /** Which members of the layer see each other: pairs of importer and imported. */
  readonly siblings: "none" | "all" | readonly (readonly [importer: string, imported: string])[];
}

/** Things that only the named places may do. An entry with a trailing slash is a folder. */
export const privileges = {
  /** Database drivers and query builders. */
  drivers: {
    packages: [
      "node:sqlite",
      "kysely",
      "pg",
      "postgres",
      "better-sqlite3",
      "ioredis",
      "@clickhouse/client",
      "chdb",
      "@electric-sql/pglite",
    ],
    holders: ["store/"],
    reason: "only src/store/ imports a database driver; other folders see the interfaces of src/core/",
  },
  /** Connections that we open. Servers are no matter of this list: the names below are those of clients. */
  outbound: {
    packages: ["undici"],
    /** Names and files that open nothing, to be had from anywhere. */
    harmless: ["errors"],
    harmlessFiles: ["undici/lib/core/errors.js"],
    names: {
      "node:http": ["request", "get", "Agent", "globalAgent", "default", "*"],
      "node:https": ["request", "get", "Agent", "globalAgent", "default", "*"],
      "node:http2": ["connect", "default", "*"],
      "node:net": ["connect", "createConnection", "Socket", "default", "*"],
      "node:tls": ["connect", "default", "*"],
      "node:dgram": ["createSocket", "default", "*"],
    },
    globals: ["fetch", "WebSocket", "EventSource", "XMLHttpRequest"],
    holders: ["kernel/safe-fetch.ts", "gateway/upstream.ts"],
    reason:
      "only kernel/safe-fetch.ts and gateway/upstream.ts open outbound connections, so that every address is checked",
  },
  environment: {
    holders: ["config.ts"],
    reason: "only src/config.ts reads process.env, so that one schema knows every setting",
  },
  time: {
    holders: ["kernel/clock.ts"],
    reason: "only src/kernel/clock.ts reads the time; take a Clock as an argument",
  },
  json: {
    holders: ["kernel/parse-json.ts"],
    reason: "JSON.parse can take one name for another; kernel/parse-json.ts does not (docs/adr/0010)",
  },
} as const;

/** Why `importer` must not import `imported` (both relative to `src/`), or undefined when it may. */
export function whyNotImport(importer: string, imported: string): string | undefined {
  const from = placeOf(importer);
  const to = placeOf(imported);
  if (from === undefined) return `${importer} stands in no layer of scripts/lint/boundaries.ts`;
  if (to === undefined) return `${imported} stands in no layer of scripts/lint/boundaries.ts`;
  if (from.member === to.member || to.layer.level < from.layer.level) return undefined;
  if (to.layer.level > from.layer.level) {
    return `layer ${from.layer.level} (${from.member}) must not import layer ${to.layer.level} (${to.member})`;
  }
  const { siblings } = from.layer;
  const allowed =
    siblings === "all" ||
    (siblings !== "none" && siblings.some(([importing, seen]) => importing === from.member && seen === to.member));
  return allowed ? undefined : `${from.member} must not import ${to.member}: both stand in layer ${from.layer.level}`;
}

/** Whether a file (relative to `src/`) is one of the holders of a privilege. */
export function holds(holders: readonly string[], file: string): boolean {
  return holders.some((holder) => (holder.endsWith("/") ? file.startsWith(holder) : file === holder));
}

/** The file's path below the `src/` of the repository at `root`, with forward slashes; undefined for any other file. */
export function insideSource(root: string, file: string): string | undefined {
  const prefix = `${root.replaceAll("\\", "/").replace(/\/$/, "")}/src/`;
  const path = file.replaceAll("\\", "/");
  return path.startsWith(prefix) ? path.slice(prefix.length) : undefined;
}

function placeOf(file: string): { readonly layer: Layer; readonly member: string } | undefined {
  const member = file.includes("/") ? file.slice(0, file.indexOf("/")) : "*.ts";
  const layer: Layer | undefined = layers.find((candidate: Layer) => candidate.members.includes(member));
  return layer && { layer, member };
}
