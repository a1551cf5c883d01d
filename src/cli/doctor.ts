import { existsSync, statSync } from "node:fs";
import { createServer } from "node:net";
import type { LoadedConfig } from "../config.ts";
import { describeConfig } from "../config.ts";
import { configuredKeys } from "../core/keyring.ts";
import { GatewayError } from "../kernel/errors.ts";
import { createNetworkPolicy, developmentReach } from "../kernel/network-policy.ts";
import { createSafeFetch } from "../kernel/safe-fetch.ts";
import { dataPaths, findDataHolder } from "../store/data-directory.ts";
import { readPrivateFile } from "../store/private-file.ts";
import { whyCatalogCannotBeWritten } from "../store/sqlite/why-catalog-cannot-be-written.ts";
import { gatehouseVersion } from "../version.ts";
import { analyticsFindings } from "./analytics-findings.ts";
import type { CommonOptions } from "./common-options.ts";
import { commandConfig } from "./common-options.ts";
import { encryptionFindings } from "./encryption-findings.ts";
import { expiryFindings } from "./expiry-findings.ts";
import type { Finding } from "./finding.ts";
import { listPlugins } from "./plugins.ts";
import { printTable } from "./print-table.ts";
import { redisFindings } from "./redis-findings.ts";
import type { Shell } from "./shell.ts";
import { upstreamFindings } from "./upstream-findings.ts";

/**
 * Says what is on, what is missing and what to do about it, and shows the effective configuration without its secrets.
 * Changes nothing. Throws `config.invalid` at the end when something keeps Gatehouse from working.
 */
export async function doctor(options: CommonOptions, shell: Shell): Promise<void> {
  const loaded = commandConfig(options, shell);
  const findings = [
    ...versionFindings(),
    ...dataFindings(loaded),
    ...(await credentialFindings(loaded)),
    ...(await processFindings(loaded)),
    ...(await analyticsFindings(options, loaded, shell)),
    ...(await upstreamFindings(options, loaded, shell)),
    ...(await expiryFindings(options, loaded, shell)),
    ...(await encryptionFindings(options, loaded, shell)),
    ...(await redisFindings(loaded)),
    ...exposureFindings(loaded),
  ];
  for (const { state, what } of findings) shell.out(`${state.padEnd(5)}  ${what}`);
  shell.out("");
  const rows = describeConfig(loaded).map(({ name, value, source }) => [name, value, source]);
  for (const line of printTable(["SETTING", "VALUE", "FROM"], rows)) shell.out(line);
  const faults = findings.filter(({ state }) => state === "fault").length;
  if (faults > 0) throw new GatewayError("config.invalid", `${faults} of these keep Gatehouse from working.`);
}

function versionFindings(): readonly Finding[] {
  const counts = Map.groupBy(listPlugins(), ({ kind }) => kind);
  const parts = [...counts].map(([kind, list]) => `${list.length} of kind ${kind}`).join(", ");
  return [
    {
      state: "ok",
      what: `Gatehouse ${gatehouseVersion} on Node ${process.versions.node}, ${process.platform} ${process.arch}`,
    },
    { state: "ok", what: `plug-ins: ${parts}` },
  ];
}

function dataFindings({ config }: LoadedConfig): readonly Finding[] {
  const { path, catalogPath, spoolPath } = dataPaths(config.dataDir);
  if (!existsSync(path)) return [{ state: "hint", what: `no data directory at ${path} yet; the first start makes it` }];
  const mode = statSync(path).mode & 0o777;
  const open = process.platform !== "win32" && (mode & 0o077) !== 0;
  return [
    open
      ? { state: "hint", what: `${path} can be entered by others (mode ${mode.toString(8)}): chmod 700 ${path}` }
      : { state: "ok", what: `data directory ${path}` },
    existsSync(catalogPath)
      ? catalogFinding(catalogPath)
      : { state: "hint", what: "no catalog yet; the first start makes it" },
    { state: "ok", what: existsSync(spoolPath) ? "event spool: there" : "event spool: none yet" },
  ];
}

function catalogFinding(path: string): Finding {
  const why = whyCatalogCannotBeWritten(path);
  if (why === undefined) return { state: "ok", what: `catalog: ${statSync(path).size} bytes` };
  return { state: "fault", what: `catalog: ${why}; known keys go on, and nothing can be changed until that is mended` };
}

async function credentialFindings({ config }: LoadedConfig): Promise<readonly Finding[]> {
  const { encryptionKeyPath, adminTokenPath } = dataPaths(config.dataDir);
  const wanted = [
    ["encryption key", configuredKeys(config), encryptionKeyPath, "GATEHOUSE_ENCRYPTION_KEY"],
    ["admin token", config.adminToken, adminTokenPath, "GATEHOUSE_ADMIN_TOKEN"],
  ] as const;
  return Promise.all(
    wanted.map(async ([what, configured, path, variable]): Promise<Finding> => {
      if (configured !== undefined) return { state: "ok", what: `${what}: from the configuration` };
      try {
        if ((await readPrivateFile(path)) !== undefined) return { state: "ok", what: `${what}: ${path}` };
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        return { state: "fault", what: error.message };
      }
      if (config.env === "development") return { state: "hint", what: `no ${what} yet; the first start makes one` };
      const command = `(umask 077 && openssl rand -hex 32 > ${path})`;
      return { state: "fault", what: `no ${what}; set ${variable}, or make a file: ${command}` };
    }),
  );
}

async function processFindings({ config }: LoadedConfig): Promise<readonly Finding[]> {
  const holder = findDataHolder(config.dataDir);
  if (holder !== undefined) {
    const who = `process ${holder.pid ?? "unknown"}, since ${holder.since ?? "unknown"}`;
    return [
      { state: "ok", what: `running: ${who}` },
      ...(holder.gatewayUrl === undefined ? [] : [await readiness("gateway", holder.gatewayUrl)]),
      ...(holder.controlUrl === undefined ? [] : [await readiness("control plane", holder.controlUrl)]),
    ];
  }
  return [
    { state: "ok", what: "not running" },
    await portFinding("gateway", config.host, config.port, "--port"),
    await portFinding("control plane", config.controlHost, config.controlPort, "--control-port"),
  ];
}

async function readiness(what: string, url: string): Promise<Finding> {
  const policy = createNetworkPolicy({ allowCidrs: [], operatorReach: developmentReach });
  await using safeFetch = createSafeFetch({ policy });
  try {
    const { status } = await safeFetch(`${url}/readyz`, { chosenBy: "operator", timeoutMs: 3_000 });
    return status === 200
      ? { state: "ok", what: `${what} ready at ${url}` }
      : { state: "fault", what: `${what} at ${url} is not ready (${status}); see its log` };
  } catch {
    return { state: "hint", what: `${what} does not answer at ${url} from here` };
  }
}

async function portFinding(what: string, host: string, port: number, flag: string): Promise<Finding> {
  const { promise, resolve } = Promise.withResolvers<Finding>();
  const server = createServer();
  server.once("error", (error) => {
    resolve({ state: "fault", what: `${what}: ${host}:${port} cannot be listened on (${error.message}); try ${flag}` });
  });
  server.listen(port, host, () => {
    server.close(() =>
      resolve({ state: "ok", what: port === 0 ? `${what}: any port` : `${what}: ${host}:${port} is free` }),
    );
  });
  return promise;
}

function exposureFindings({ config }: LoadedConfig): readonly Finding[] {
  const isLocal = (host: string): boolean => /^(127\.|::1$|localhost$)/.test(host);
  const findings: Finding[] = [];
  if (!isLocal(config.host) && config.tls === undefined) {
    findings.push({
      state: "hint",
      what: `the gateway listens on ${config.host} without TLS; keys cross the network openly`,
    });
  }
  if (!isLocal(config.controlHost)) {
    findings.push({
      state: "hint",
      what: `the control plane listens on ${config.controlHost}; put TLS in front of it`,
    });
  }
  return findings;
}
