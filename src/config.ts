import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type * as YamlPackage from "yaml";
import type { z } from "zod";
import type { Config, Setting } from "./config-schema.ts";
import { configSchema, listSettings, settingValue } from "./config-schema.ts";
import type { FieldIssue } from "./kernel/errors.ts";
import { GatewayError } from "./kernel/errors.ts";
import { loadYaml } from "./kernel/load-yaml.ts";
import { didYouMean } from "./kernel/nearest-name.ts";
import { parseJson } from "./kernel/parse-json.ts";
import { withInherited } from "./mcp-settings.ts";
import { openSealedSettings } from "./sealed-settings.ts";

export type { Config } from "./config-schema.ts";

/** Where the parts of a configuration come from; each has the process's own as its default. */
export interface ConfigInput {
  /** Values by setting (`port`, `limits.drainTimeoutMs`), as text. The strongest source. */
  readonly flags?: Readonly<Record<string, string | undefined>>;
  /** A configuration file that must exist. Absent: `GATEHOUSE_CONFIG`, then `gatehouse.yaml` where there is one. */
  readonly file?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

/** A configuration and, by setting, what it was taken from; settings that nobody set are not in `sources`. */
export interface LoadedConfig {
  readonly config: Config;
  readonly sources: ReadonlyMap<string, string>;
  readonly file: string | undefined;
  /** The token that commands show the control plane: `GATEHOUSE_TOKEN`. */
  readonly clientToken: string | undefined;
  /** Where `gatehouse login` keeps tokens; undefined where there is no home directory. */
  readonly credentialsFile: string | undefined;
}

/**
 * Reads flags, environment and file, in that order of strength, over the defaults. An empty variable counts as absent.
 * Throws `config.invalid` that names each fault, where it stands, and the nearest known name of an unknown one.
 */
export function loadConfig(input: ConfigInput = {}): Config {
  return readConfig(input).config;
}

/** As `loadConfig`, and tells where each value came from. */
export function readConfig({
  flags = {},
  file,
  env = process.env,
  cwd = process.cwd(),
}: ConfigInput = {}): LoadedConfig {
  const settings = listSettings();
  const path = findFile(file ?? (env["GATEHOUSE_CONFIG"] || undefined), cwd);
  const found: Found = {
    values: {},
    sources: new Map(),
    places: new Map(),
    issues: [],
    fromFile: new Set(),
    root: cwd,
  };
  if (path !== undefined) takeFile(found, path);
  takeEnvironment(found, settings, env);
  for (const setting of settings) take(found, setting, flags[setting.name], "flag");
  const parsed = configSchema.safeParse(found.values);
  const issues = [
    ...found.issues,
    ...(parsed.success ? [] : parsed.error.issues.flatMap((issue) => explain(issue, found))),
  ];
  if (!parsed.success || issues.length > 0) throw invalid(issues);
  const config = openSealed(resolvePaths(parsed.data, found, cwd), found, settings);
  return {
    config: { ...config, mcp: { ...config.mcp, stdio: withInherited(config.mcp.stdio, env) } },
    sources: found.sources,
    file: path,
    clientToken: env["GATEHOUSE_TOKEN"] || undefined,
    credentialsFile: credentialsFile(env),
  };
}

/** The settings with their values as text, secrets masked, for people to look at. */
export function describeConfig({
  config,
  sources,
}: LoadedConfig): readonly { name: string; value: string; source: string }[] {
  return listSettings().map((setting) => {
    const value = settingValue(config, setting.name);
    const shown = value === undefined ? "(not set)" : setting.secret ? "(set, not shown)" : JSON.stringify(value);
    return { name: setting.name, value: shown, source: sources.get(setting.name) ?? "default" };
  });
}

// What is sealed is checked again when it is open, by the same schema.
function openSealed(config: Config, found: Found, settings: readonly Setting[]): Config {
  const { opened, issues } = openSealedSettings(config, settings);
  if (issues.length > 0) throw invalid(issues.map((issue) => ({ ...issue, path: placed(found, issue.path) })));
  if (opened.length === 0) return config;
  let whole: unknown = config;
  for (const { name, value } of opened) whole = withSetting(whole, name.split("."), value);
  const parsed = configSchema.safeParse(whole);
  if (parsed.success) return parsed.data;
  throw invalid(parsed.error.issues.flatMap((issue) => explain(issue, found)));
}

function withSetting(holder: unknown, [key = "", ...rest]: readonly string[], value: string): unknown {
  if (!isRecord(holder)) return holder;
  return { ...holder, [key]: rest.length === 0 ? value : withSetting(holder[key], rest, value) };
}

// As the XDG Base Directory Specification has it.
function credentialsFile(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const home = env["HOME"] || env["USERPROFILE"] || undefined;
  const base = env["XDG_CONFIG_HOME"] || (home && join(home, ".config")) || undefined;
  return base && join(base, "gatehouse", "credentials.json");
}

interface Found {
  readonly values: Record<string, unknown>;
  readonly sources: Map<string, string>;
  readonly places: Map<string, string>;
  readonly issues: FieldIssue[];
  readonly fromFile: Set<string>;
  root: string;
}

function findFile(named: string | undefined, cwd: string): string | undefined {
  const path = resolve(cwd, named ?? "gatehouse.yaml");
  if (existsSync(path)) return path;
  if (named === undefined) return undefined;
  throw new GatewayError("config.invalid", `There is no configuration file at ${path}.`);
}

function takeFile(found: Found, path: string): void {
  const yaml = loadYaml();
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(readFileSync(path, "utf8"), { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): string => `${path}:${lines.linePos(offset).line}`;
  for (const error of document.errors) found.issues.push({ path: at(error.pos[0]), message: error.message });
  if (document.errors.length > 0 || document.contents === null) return;
  const values: unknown = document.toJS({ maxAliasCount: 20 });
  if (!isRecord(values)) {
    found.issues.push({ path: `${path}:1`, message: "must be a mapping of settings" });
    return;
  }
  Object.assign(found.values, values);
  found.root = dirname(path);
  notePlaces(yaml, document.contents, "", (name, offset) => {
    found.places.set(name, at(offset));
    found.sources.set(name, at(offset));
    found.fromFile.add(name);
  });
}

type Yaml = typeof YamlPackage;

function notePlaces(yaml: Yaml, node: unknown, prefix: string, note: (name: string, offset: number) => void): void {
  if (!yaml.isMap(node)) return;
  for (const pair of node.items) {
    const name = `${prefix}${String(pair.key)}`;
    if (yaml.isNode(pair.key) && pair.key.range) note(name, pair.key.range[0]);
    notePlaces(yaml, pair.value, `${name}.`, note);
  }
}

/** Variables of commands, which are no settings of an installation. */
const notSettings: ReadonlySet<string> = new Set(["GATEHOUSE_CONFIG", "GATEHOUSE_TOKEN"]);

function takeEnvironment(
  found: Found,
  settings: readonly Setting[],
  env: Readonly<Record<string, string | undefined>>,
) {
  const known = new Map(settings.map((setting) => [setting.env, setting]));
  for (const setting of settings) take(found, setting, env[setting.env] || undefined, setting.env);
  for (const name of Object.keys(env)) {
    if (!name.startsWith("GATEHOUSE_") || notSettings.has(name) || known.has(name)) continue;
    found.issues.push({ path: name, message: `unknown variable${didYouMean(name, known.keys())}` });
  }
}

function take(found: Found, setting: Setting, text: string | undefined, source: string): void {
  if (text === undefined) return;
  const keys = setting.name.split(".");
  const last = keys.pop() ?? setting.name;
  let holder: unknown = found.values;
  for (const key of keys) if (isRecord(holder)) holder = holder[key] ??= {};
  if (!isRecord(holder)) return; // the file has no mapping there, and the schema will say so
  holder[last] = fromText(setting, text);
  found.fromFile.delete(setting.name);
  found.sources.set(setting.name, source);
  found.places.set(setting.name, source);
}

function fromText(setting: Setting, text: string): unknown {
  if (setting.type === "integer") return /^-?\d+$/.test(text.trim()) ? Number(text) : text;
  if (setting.type === "number") return /^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text;
  if (setting.type === "boolean") return { true: true, false: false }[text.trim()] ?? text;
  if (setting.type === "mapping") return parsedOrText(text);
  if (setting.type === "array")
    return text
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "");
  return text;
}

// What is no JSON stays text, and the schema says that it is no mapping.
function parsedOrText(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}

function explain(issue: z.core.$ZodIssue, found: Found): readonly FieldIssue[] {
  const name = issue.path.join(".");
  if (issue.code !== "unrecognized_keys") return [{ path: placed(found, name), message: issue.message }];
  const siblings = listSettings()
    .filter((setting) => name === "" || setting.name.startsWith(`${name}.`))
    .map((setting) => setting.name.slice(name === "" ? 0 : name.length + 1).split(".")[0] ?? "");
  return issue.keys.map((key) => ({
    path: placed(found, name === "" ? key : `${name}.${key}`),
    message: `unknown setting${didYouMean(key, siblings)}`,
  }));
}

// A list's item stands where the list does when the source has no finer place.
function placed(found: Found, name: string): string {
  for (let at = name; at !== ""; at = at.slice(0, Math.max(0, at.lastIndexOf(".")))) {
    const place = found.places.get(at);
    if (place !== undefined) return place === name ? name : `${place} ${name}`;
  }
  return name;
}

function invalid(issues: readonly FieldIssue[]): GatewayError {
  const text = issues.map((issue) => `${issue.path}: ${issue.message}`).join("; ");
  return new GatewayError("config.invalid", `The configuration is not valid. ${text}`, { issues });
}

// A path in the file is relative to the file, so that the same file means the same wherever it is started from.
function resolvePaths(config: Config, found: Found, cwd: string): Config {
  const absolute = (name: string, path: string): string => resolve(found.fromFile.has(name) ? found.root : cwd, path);
  const optional = (name: string, path: string | undefined) => path && absolute(name, path);
  const { redis, gateway, tls, audit } = config;
  return {
    ...config,
    dataDir: absolute("dataDir", config.dataDir),
    redis: { ...redis, caFile: optional("redis.caFile", redis.caFile) },
    audit: { ...audit, checkpointFile: optional("audit.checkpointFile", audit.checkpointFile) },
    gateway: { ...gateway, tokenFile: optional("gateway.tokenFile", gateway.tokenFile) },
    tls: tls && { certFile: absolute("tls.certFile", tls.certFile), keyFile: absolute("tls.keyFile", tls.keyFile) },
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The named variables of this process's environment: what a process that we start for somebody at the terminal inherits. */
export function inheritedVariables(
  names: readonly string[],
  env: Readonly<Record<string, string | undefined>> = process.env,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = env[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}
