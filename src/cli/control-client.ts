import { z } from "zod";
import type { Config } from "../config.ts";
import { errorCodes } from "../kernel/error-codes.ts";
import { GatewayError } from "../kernel/errors.ts";
import { createNetworkPolicy, developmentReach } from "../kernel/network-policy.ts";
import { parseJson } from "../kernel/parse-json.ts";
import type { SafeFetch, SafeResponse } from "../kernel/safe-fetch.ts";
import { createSafeFetch } from "../kernel/safe-fetch.ts";
import { dataPaths, findDataHolder } from "../store/data-directory.ts";
import { readPrivateFile } from "../store/private-file.ts";
import { commandLog } from "./command-log.ts";
import type { ControlOptions } from "./common-options.ts";
import { commandConfig } from "./common-options.ts";
import { findLogin } from "./credentials-file.ts";
import type { Shell } from "./shell.ts";

/** The control API of a running Gatehouse, or of one that was opened for the command alone. */
export interface ControlClient extends AsyncDisposable {
  /**
   * One call; `path` begins with `/api/v1/`. Gives the body, undefined for none. Throws what the control plane answered
   * as the error that it is, with its fields at fault. `ifMatch` is the ETag that was seen, or `*` for whatever is there.
   */
  call(method: "GET" | "POST" | "PUT" | "DELETE", path: string, body?: unknown, ifMatch?: string): Promise<unknown>;
  /** One call whose answer is something else than JSON: its bytes, at most 256 MiB. */
  bytes(method: "GET" | "POST", path: string, body?: unknown): Promise<Uint8Array>;
  /** One call whose answer is handed on piece by piece, each when the one before was taken; it may take an hour. */
  stream(path: string, into: (chunk: Buffer) => Promise<void>): Promise<void>;
  /** All pages of a list, in order, narrowed by the query. */
  list(path: string, query?: Readonly<Record<string, string>>): AsyncGenerator<unknown>;
}

/**
 * A client of the process that holds the data directory, or of the one at `--control-url`; with `--offline`, of one
 * that lives for this command only. The token is that of `--token`, GATEHOUSE_TOKEN, `gatehouse login` at that address, the
 * configuration, or the data directory's file.
 */
export async function openControlClient(options: ControlOptions, shell: Shell): Promise<ControlClient> {
  const { config, clientToken, credentialsFile } = commandConfig(options, shell);
  await using opening = new AsyncDisposableStack();
  const offline = options.offline === true ? opening.use(await startOffline(config, shell)) : undefined;
  const base = offline?.controlUrl ?? options.controlUrl ?? addressOf(config);
  const token =
    options.token ??
    clientToken ??
    (await findLogin(credentialsFile, base))?.token ??
    config.adminToken ??
    (await storedToken(config));
  const safeFetch = opening.use(
    // Whoever calls the command has chosen the address; it is theirs to reach this machine and the network around it.
    createSafeFetch({ policy: createNetworkPolicy({ allowCidrs: [], operatorReach: developmentReach }) }),
  );
  const connection = { safeFetch, base, token };
  const call: ControlClient["call"] = async (method, path, body, ifMatch) => {
    const response = await callControl(connection, { method, path, body, ifMatch, maxBytes: 67_108_864 });
    return response.body.length === 0 ? undefined : response.json();
  };
  const opened = opening.move();
  return {
    call,
    bytes: async (method, path, body) =>
      (await callControl(connection, { method, path, body, ifMatch: undefined, maxBytes: 268_435_456 })).body,
    async stream(path, into) {
      const whole = { maxBytes: Number.MAX_SAFE_INTEGER, timeoutMs: 3_600_000 };
      await callControl(connection, { method: "GET", path, body: undefined, ifMatch: undefined, into, ...whole });
    },
    list: (path, query = {}) => listAll(call, path, query),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function startOffline(config: Config, shell: Shell): Promise<AsyncDisposable & { readonly controlUrl: string }> {
  const { startGatehouse } = await import("../main.ts");
  const local = { host: "127.0.0.1", port: 0, controlHost: "127.0.0.1", controlPort: 0 };
  const { publicUrl: _public, controlUrl: _control, tls: _tls, ...rest } = config;
  const analytics = { ...config.analytics, mode: "off" } as const; // no engine for one command
  return startGatehouse({ ...rest, ...local, analytics }, { forOneCommand: true, log: commandLog(shell) });
}

/** Where the control plane is, as far as the configuration and the data directory know. */
export function addressOf(config: Config): string {
  const holder = findDataHolder(config.dataDir);
  if (holder?.controlUrl !== undefined) return holder.controlUrl;
  if (config.controlUrl !== undefined) return config.controlUrl;
  const host = config.controlHost.includes(":") ? `[${config.controlHost}]` : config.controlHost;
  return `http://${host}:${config.controlPort}`;
}

async function storedToken(config: Config): Promise<string> {
  const { adminTokenPath } = dataPaths(config.dataDir);
  const stored = (await readPrivateFile(adminTokenPath))?.trim();
  if (stored !== undefined && stored !== "") return stored;
  throw new GatewayError(
    "config.invalid",
    `There is no admin token at ${adminTokenPath}. Sign in with: gatehouse login NAME; give a token with --token, GATEHOUSE_TOKEN or GATEHOUSE_ADMIN_TOKEN; or name the data directory with --data.`,
  );
}

interface Connection {
  readonly safeFetch: SafeFetch;
  readonly base: string;
  readonly token: string;
}

interface ControlRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly body: unknown;
  readonly ifMatch: string | undefined;
  readonly maxBytes: number;
  readonly into?: (chunk: Buffer) => Promise<void>;
  readonly timeoutMs?: number;
}

async function callControl(
  { safeFetch, base, token }: Connection,
  { method, path, body, ifMatch, maxBytes, into, timeoutMs = 60_000 }: ControlRequest,
): Promise<SafeResponse> {
  const response = await safeFetch(`${base.replace(/\/+$/, "")}${path}`, {
    chosenBy: "operator",
    method,
    headers: {
      authorization: `Bearer ${token}`,
      accept: "application/json",
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(ifMatch !== undefined && { "if-match": ifMatch }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    maxBytes,
    ...(into !== undefined && { into }),
    timeoutMs,
  }).catch((error: unknown) => {
    throw unreachable(base, error);
  });
  if (response.status >= 200 && response.status < 300) return response;
  if (response.status === 401) {
    throw new GatewayError(
      "auth.invalid_credentials",
      `${base} does not accept the token. Sign in with: gatehouse login NAME; or give one with --token or GATEHOUSE_TOKEN, the admin token in GATEHOUSE_ADMIN_TOKEN.`,
    );
  }
  throw refusedAnswer(base, response);
}

/** What a control plane answered in place of doing what was asked, as the error that it is. */
export function refusedAnswer(base: string, response: SafeResponse): GatewayError {
  return refused(base, response.status, problemSchema.safeParse(parseLoosely(response.text())).data);
}

async function* listAll(
  call: ControlClient["call"],
  path: string,
  query: Readonly<Record<string, string>>,
): AsyncGenerator<unknown> {
  for (let cursor: string | undefined = ""; cursor !== undefined; ) {
    const parameters = new URLSearchParams({ limit: "200", ...query, ...(cursor === "" ? {} : { cursor }) });
    const page: z.output<typeof pageSchema> = pageSchema.parse(await call("GET", `${path}?${parameters.toString()}`));
    yield* page.items;
    cursor = page.next;
  }
}

const pageSchema = z.looseObject({ items: z.array(z.unknown()), next: z.string().optional() });

const problemSchema = z.looseObject({
  detail: z.string(),
  code: z.string(),
  errors: z.array(z.looseObject({ path: z.string(), detail: z.string() })).default([]),
});

function parseLoosely(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined; // something else than a control plane answers there, and `refused` says so
  }
}

function refused(base: string, status: number, problem: z.output<typeof problemSchema> | undefined): GatewayError {
  if (problem === undefined || problem.code === "route.not_found") {
    return new GatewayError(
      "upstream.invalid",
      `${base} answered ${status}, and not as a Gatehouse control plane does.`,
    );
  }
  const issues = problem.errors.map(({ path, detail }) => ({ path, message: detail }));
  const code = Object.keys(errorCodes).find((known) => known === problem.code);
  // `find` has compared it with the table's own keys.
  return new GatewayError((code ?? "internal") as keyof typeof errorCodes, problem.detail, { issues });
}

function unreachable(base: string, cause: unknown): unknown {
  if (!(cause instanceof GatewayError) || cause.code !== "upstream.unreachable") return cause;
  return new GatewayError(
    "upstream.unreachable",
    `Nobody answers at ${base}. Start Gatehouse, name its address with --control-url, or use --offline.`,
    { cause },
  );
}
