import { staticEmbedder } from "../../src/embedding/static-embedder.ts";
import { Cancellation } from "../../src/kernel/cancellation.ts";
import type { ProtocolAdapter } from "../../src/pipeline/adapter.ts";
import type { ApprovalDesk } from "../../src/pipeline/approval-desk.ts";
import type { CredentialIndex } from "../../src/pipeline/credential-index.ts";
import type { CompiledGuardrail } from "../../src/pipeline/define-guardrail.ts";
import type { Exchange, InboundRequest, Operation, Principal } from "../../src/pipeline/exchange.ts";
import type { Limiter } from "../../src/pipeline/limiter.ts";
import type { PluginTools } from "../../src/pipeline/plugin.ts";
import type { Attachment, CompiledApi } from "../../src/pipeline/snapshot.ts";
import { createTokenEstimates } from "../../src/pipeline/token-estimates.ts";
import type { TokenVerifier } from "../../src/pipeline/token-verifier.ts";
import { createMemoryLimiter } from "../../src/store/memory/limiter.ts";
import { fakeEmbeddings } from "./embedder-tools.ts";
import { manualClock } from "./manual-clock.ts";
import { textAdapter } from "./text-adapter.ts";

// Ids carry their kind in their type only; these are the tests' own.
export const apiId = "llm_000000000000000000000001" as CompiledApi["id"];
export const keyId = "key_000000000000000000000001" as NonNullable<Principal["keyId"]>;
export const applicationId = "app_000000000000000000000001" as NonNullable<Principal["applicationId"]>;
export const planId = "plan_000000000000000000000001" as NonNullable<Principal["planId"]>;

/** A caller with a production key and nothing else. */
export const keyHolder: Principal = {
  type: "api-key",
  environment: "production",
  keyId,
  applicationId: undefined,
  planId: undefined,
  mayCall: undefined,
};

/** What a test says of an exchange; the rest is that of an ordinary request. */
export interface ExchangeParts {
  readonly inbound?: Partial<InboundRequest>;
  readonly api?: Partial<CompiledApi>;
  readonly adapter?: ProtocolAdapter;
  readonly credentials?: CredentialIndex;
  readonly principal?: Principal | undefined;
  readonly labels?: Exchange["labels"];
}

/** An exchange in the middle of its way, over the text protocol. */
export function buildExchange(parts: ExchangeParts = {}): Exchange {
  return {
    id: "0199f3a0-0000-7000-8000-000000000000" as Exchange["id"], // an id like any other
    startedAtMs: Date.UTC(2026, 0, 1),
    startedMonotonicMs: 0,
    cancellation: new Cancellation(),
    signal: new AbortController().signal,
    inbound: {
      method: "POST",
      path: "/chat/v1/chat/completions",
      query: "",
      headers: {},
      clientIp: "192.0.2.7",
      protocol: "HTTP/1.1",
      ...parts.inbound,
    },
    snapshot: {
      configHash: "0",
      apis: [],
      plans: new Map(),
      notServed: [],
      retire: () => undefined,
      dispose: async () => undefined,
    },
    credentials: parts.credentials ?? noCredentials,
    api: buildApi(parts),
    principal: "principal" in parts ? parts.principal : keyHolder,
    labels: parts.labels ?? {},
    operations: [],
    attempts: [],
    decisions: [],
    route: undefined,
    keepOpen: () => undefined,
    recordAside: () => undefined,
    responseHeaders: {},
    requestBytes: 0,
    responseBytes: 0,
    firstByteMs: undefined,
  };
}

/** A chat operation. */
export function buildOperation(parts: Partial<Operation> = {}): Operation {
  return {
    id: "0199f3a0-0000-7000-8000-000000000001",
    parentId: undefined,
    kind: "chat",
    name: "small-model",
    stream: false,
    body: Buffer.from("[]"),
    message: undefined,
    usage: undefined,
    ...parts,
  };
}

/** A guardrail as it stands in a chain: enforced, and refusing when it breaks. */
export function attach(guardrail: CompiledGuardrail, parts: Partial<Attachment> = {}): Attachment {
  return {
    use: "test-guardrail",
    place: `${apiId}/policies[0]`,
    mode: "enforce",
    onError: "deny",
    applies: () => true,
    policy: undefined,
    guardrail,
    ...parts,
  };
}

export interface TestTools extends PluginTools {
  readonly limiter: Limiter;
  readonly clock: ReturnType<typeof manualClock>;
}

/** What plug-ins get: a clock driven by hand, a real limiter on it, and these secrets. */
export function buildTools(secrets: Readonly<Record<string, string>> = {}): TestTools {
  const clock = manualClock();
  const silent = (): void => undefined;
  return {
    clock,
    log: { debug: silent, info: silent, warn: silent, error: silent },
    limiter: createMemoryLimiter({ clock, maxKeys: 1_000 }),
    estimates: createTokenEstimates(),
    secrets: {
      read: (name) => secrets[name] ?? Promise.reject(new Error(`no secret ${name}`)),
    },
    tokens: noTokens,
    approvals: nobodyApproves,
    fetch: () => Promise.reject(new Error("no way out")),
    resolves: async () => false,
    embed: () => staticEmbedder.compile({}, fakeEmbeddings().tools),
  };
}

/** A desk at which nothing is ever approved. */
export const nobodyApproves: ApprovalDesk = {
  ask: async () => ({ type: "gone" }),
  news: async () => {},
  answer: async () => {},
};

/** A verifier to which no token is known. */
export const noTokens: TokenVerifier = {
  publicUrl: "https://gateway.example.com",
  issuers: () => [],
  verify: () => ({ type: "refused", detail: "no token is known" }),
};

const noCredentials: CredentialIndex = {
  find: () => undefined,
  matches: () => false,
  recognise: () => undefined,
  subscription: () => undefined,
  used: () => undefined,
};

function buildApi({ api, adapter = textAdapter }: ExchangeParts): CompiledApi {
  const upstream = {
    targets: [],
    strategy: { choose: () => [] },
    maxAttempts: 1,
    timeouts: { connectMs: 1_000, firstByteMs: 1_000, idleMs: 1_000 },
    breaker: { failures: 0, openMs: 1_000 },
  };
  return {
    id: apiId,
    name: "chat",
    kind: adapter.kind,
    teamId: "team_000000000000000000000001" as CompiledApi["teamId"], // as above
    revision: 1,
    context: "/chat",
    keyless: "nobody",
    subscriptionRequired: false,
    chain: { identify: [], admit: [], charges: [], request: [], recall: [], response: [], record: [] },
    adapter,
    protocol: { upstreams: { production: upstream, sandbox: upstream }, own: undefined },
    limits: { requestBytes: 1_000_000, responseBytes: 1_000_000, jsonDepth: 64, deadlineMs: 60_000 },
    ...api,
  };
}
