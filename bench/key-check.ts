import { createSecretKey, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashApiKey, makeApiKey } from "../src/core/api-key-format.ts";
import type { CredentialRecord } from "../src/core/plane-message.ts";
import { createCredentialIndex } from "../src/identity/credential-index.ts";
import { systemClock } from "../src/kernel/clock.ts";
import { compileAttachment, sortIntoChain } from "../src/pipeline/compile-chain.ts";
import { identify } from "../src/pipeline/identify.ts";
import type { PluginTools } from "../src/pipeline/plugin.ts";
import { createRegistry } from "../src/pipeline/registry.ts";
import { createLimitGate } from "../src/pipeline/run-limits.ts";
import { policies } from "../src/policies/index.ts";
import { openLimitJournal } from "../src/store/memory/limit-journal.ts";
import { createMemoryLimiter } from "../src/store/memory/limiter.ts";
import { apiId, buildExchange, buildOperation, buildTools } from "../test/kit/exchange.ts";
import { answered, attachPolicy } from "../test/kit/limits.ts";
import { percentile } from "./statistics.ts";

/** Times of knowing a caller by the key and charging the request's limits, without HTTP. */
export interface KeyCheckFigures {
  readonly keys: number;
  readonly windows: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** With every key seen for the first time, so that each is hashed. */
  readonly firstP50Us: number;
}

const keyCount = 100_000;
const windowCount = 10_000;
const checks = 50_000;

/**
 * The key check of the request's path: a key in a header is recognised among 100,000, and a rate limit, an hourly quota
 * (kept over a restart) and a limit of the API as a whole are charged in one step, with 10,000 windows open.
 */
export async function measureKeyCheck(): Promise<KeyCheckFigures> {
  const directory = await mkdtemp(join(tmpdir(), "gatehouse-bench-limits-"));
  try {
    return await measureIn(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function measureIn(directory: string): Promise<KeyCheckFigures> {
  const pepper = createSecretKey(randomBytes(32));
  const made = Array.from({ length: keyCount }, (_, index) => makeRecord(pepper, index));
  const credentials = createCredentialIndex({ pepper, pepperId: "p1", clock: systemClock, onUsed: async () => {} });
  credentials.apply({ type: "credentials", records: made.map(({ record }) => record), subscriptions: [] });
  const tools = { ...buildTools(), clock: systemClock };
  const log = tools.log;
  using journal = openLimitJournal({ path: join(directory, "limits"), log });
  const limiter = createMemoryLimiter({ clock: systemClock, maxKeys: 1_000_000, journal });
  const gate = createLimitGate({ limiter, clock: systemClock, log });
  const chain = chainOf(tools);
  const operation = buildOperation();

  const check = (key: string): number => {
    const exchange = buildExchange({
      inbound: { headers: { apikey: key } },
      credentials,
      principal: undefined,
      api: { chain },
    });
    const own = { ...operation };
    const startedAt = process.hrtime.bigint();
    const refused = identify(exchange) ?? gate.admit(exchange, own);
    const tookUs = Number(process.hrtime.bigint() - startedAt) / 1_000;
    if (refused !== undefined) throw new Error("the key check refused a key that is good");
    void gate.settle(exchange, own, answered);
    return tookUs;
  };
  const times = (count: number, of: number): number[] =>
    Array.from({ length: count }, (_, index) => check(made[(index * 7_919) % of]?.key ?? ""));

  times(windowCount, windowCount); // opens the windows, and is what makes the code warm
  const warm = times(checks, windowCount);
  const first = Array.from({ length: windowCount }, (_, index) => check(made[keyCount - 1 - index]?.key ?? ""));
  return {
    keys: credentials.size,
    windows: limiter.size,
    p50Us: percentile(warm, 0.5),
    p99Us: percentile(warm, 0.99),
    firstP50Us: percentile(first, 0.5),
  };
}

function makeRecord(pepper: Parameters<typeof hashApiKey>[0], index: number) {
  const { key, publicId } = makeApiKey();
  const record: CredentialRecord = {
    id: `key_${index.toString().padStart(24, "0")}` as CredentialRecord["id"], // as ids look
    publicId,
    hash: hashApiKey(pepper, key).toString("hex"),
    pepperId: "p1",
    apiId,
    applicationId: null,
    teamId: "team_000000000000000000000001",
    environment: "production",
    expiresAtMs: null,
    permittedIps: [],
    permittedReferrers: [],
    allow: null,
    labels: {},
    budgets: [],
  };
  return { key, record };
}

function chainOf(tools: PluginTools) {
  const registry = createRegistry({ policies, guardrails: [], providers: [], strategies: [], adapters: [] });
  const attach = (use: string, config: Readonly<Record<string, unknown>>, place: string) => {
    const spec = { use, with: config, mode: "enforce" as const, onError: "deny" as const };
    const made = compileAttachment(spec, `${apiId}/${place}`, registry, tools, ({ path, message }) => {
      throw new Error(`${use}: ${path} ${message}`);
    });
    if (made?.policy === undefined) throw new Error(`no policy ${use}`);
    return attachPolicy(made.policy, { use, place: `${apiId}/${place}` });
  };
  return sortIntoChain([
    attach("api-key", {}, "security/apiKey"),
    attach("rate-limit", { requests: 1_000_000_000, windowMs: 60_000, per: "key" }, "policies[0]"),
    attach("quota", { windows: [{ requests: 1_000_000_000, window: "hour" }], per: "key" }, "policies[1]"),
    attach("rate-limit", { requests: 1_000_000_000, windowMs: 1_000, per: "api" }, "policies[2]"),
  ]);
}
