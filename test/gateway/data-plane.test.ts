import { createSecretKey } from "node:crypto";
import { beforeEach, expect, test } from "vitest";
import { z } from "zod";
import type { ArtifactSet } from "../../src/core/plane-message.ts";
import type { DataPlane } from "../../src/gateway/data-plane.ts";
import { createDataPlane } from "../../src/gateway/data-plane.ts";
import { createLlmAdapter } from "../../src/gateway/llm/llm-adapter.ts";
import { createCredentialIndex } from "../../src/identity/credential-index.ts";
import type { ProtocolAdapter } from "../../src/pipeline/adapter.ts";
import type { CompiledGuardrail } from "../../src/pipeline/define-guardrail.ts";
import { defineGuardrail } from "../../src/pipeline/define-guardrail.ts";
import { createRegistry } from "../../src/pipeline/registry.ts";
import { apiKey } from "../../src/policies/api-key/api-key.ts";
import { openaiCompatible } from "../../src/routing/providers/openai-compatible.ts";
import { weighted } from "../../src/routing/strategies/weighted.ts";
import { createMemoryLimiter } from "../../src/store/memory/limiter.ts";
import { buildTools, noTokens } from "../kit/exchange.ts";
import { memoryLog } from "../kit/gatehouse.ts";
import { manualClock } from "../kit/manual-clock.ts";

let disposed: string[];
let stopped: string[];
let breaks: boolean;
let dataPlane: DataPlane;
let log: ReturnType<typeof memoryLog>;

const aboutProbe = { title: "Probe", summary: "Says when it is let go.", examples: [], onError: "deny" as const };
const pass: CompiledGuardrail["inspect"] = () => ({ type: "pass" });

beforeEach(() => {
  disposed = [];
  stopped = [];
  breaks = false;
  log = memoryLog();
  const clock = manualClock();
  const upstream = { send: () => Promise.reject(new Error("not called")), [Symbol.asyncDispose]: async () => {} };
  const probe = defineGuardrail({
    ...aboutProbe,
    id: "probe",
    config: z.strictObject({ name: z.string() }),
    compile: ({ name }) => ({ phases: ["request"], inspect: pass, dispose: () => void disposed.push(name) }),
  });
  const windowless = defineGuardrail({
    ...aboutProbe,
    id: "windowless",
    config: z.strictObject({}),
    compile: () => ({ phases: ["response"], inspect: pass }),
  });
  const registry = createRegistry({
    policies: [apiKey],
    guardrails: [probe, windowless],
    providers: [openaiCompatible],
    strategies: [weighted],
    adapters: [watched(createLlmAdapter({ upstream, clock, stalledMs: 1_000 }))],
  });
  const limiter = createMemoryLimiter({ clock, maxKeys: 10 });
  const tools = {
    clock,
    log,
    limiter,
    secrets: { read: () => "" },
    tokens: noTokens,
    embed: buildTools().embed,
    fetch: buildTools().fetch,
    resolves: buildTools().resolves,
    estimates: buildTools().estimates,
    approvals: buildTools().approvals,
  };
  const pepper = createSecretKey(Buffer.alloc(32, 1));
  const credentials = createCredentialIndex({ pepper, pepperId: "p", clock, onUsed: () => {} });
  dataPlane = createDataPlane({ registry, tools, keylessReach: "anybody", credentials, log });
});

/** The same adapter, which has something running for each API that it compiles. */
function watched(adapter: ProtocolAdapter): ProtocolAdapter {
  return {
    ...adapter,
    compile(input) {
      input.onRetire("running", () => stopped.push(input.artifact.name));
      input.onRetire("unstoppable", () => {
        if (breaks) throw new Error("will not stop");
      });
      return adapter.compile(input);
    },
  };
}

function setOf(hash: string, policies: readonly object[]): ArtifactSet {
  const production = { targets: [{ provider: "far" }] };
  const spec = { context: "/chat", upstream: { production, sandbox: { sameAs: "production" } }, policies };
  return {
    hash,
    apis: [
      {
        kind: "LlmApi",
        // The tests' own ids.
        id: "llm_1" as ArtifactSet["apis"][number]["id"],
        name: "chat",
        teamId: "team_1" as ArtifactSet["apis"][number]["teamId"],
        revision: 1,
        specHash: "ab".repeat(32),
        spec,
      },
    ],
    supporting: [
      {
        kind: "LlmProvider",
        id: "prov_1",
        name: "far",
        spec: { use: "openai-compatible", with: { baseUrl: "http://127.0.0.1:9" } },
      },
    ],
  };
}

const probeNamed = (name: string) => ({ use: "probe", with: { name } });
const publish = (set: ArtifactSet): void => dataPlane.apply({ type: "artifacts", set });
const settled = () => new Promise(setImmediate);

test("plug-ins of an old snapshot are let go when its last request has ended, not before", async () => {
  publish(setOf("a", [probeNamed("first")]));
  const [one, two] = [dataPlane.acquire(), dataPlane.acquire()];
  publish(setOf("b", [probeNamed("second")]));
  one?.release();
  await settled();
  expect(disposed).toEqual([]);
  two?.release();
  await settled();
  expect(disposed).toEqual(["first"]);
});

test("what ran for an old snapshot stops when it is replaced, though requests still use it", async () => {
  publish(setOf("a", []));
  const lease = dataPlane.acquire();
  expect(stopped).toEqual([]);
  breaks = true;
  publish(setOf("b", []));
  expect(stopped).toEqual(["chat"]);
  lease?.release();
  await settled();
  expect(stopped).toEqual(["chat"]); // once
});

test("what ran for a snapshot stops too when the snapshot is refused, and when the gateway ends", async () => {
  publish(setOf("a", [{ use: "unheard-of" }]));
  expect(stopped).toEqual(["chat"]);
  publish(setOf("b", []));
  await dataPlane[Symbol.asyncDispose]();
  expect(stopped).toEqual(["chat", "chat"]);
});

test("a set that does not compile leaves the old one serving and lets go of what was made on the way", async () => {
  publish(setOf("a", [probeNamed("first")]));
  publish(setOf("b", [probeNamed("second"), { use: "unheard-of" }]));
  await settled();
  expect(dataPlane.acquire()?.snapshot.configHash).toBe("a");
  expect(disposed).toEqual(["second"]);
  expect(log.lines.filter(({ level }) => level === "error")).toHaveLength(1);
});

test("the same set again changes nothing", async () => {
  publish(setOf("a", [probeNamed("first")]));
  const lease = dataPlane.acquire();
  publish(setOf("a", [probeNamed("again")]));
  expect(dataPlane.acquire()?.snapshot).toBe(lease?.snapshot);
  await settled();
  expect(disposed).toEqual([]);
});

test("a listener that breaks leaves the old snapshot serving, and the new one is let go", async () => {
  publish(setOf("a", []));
  dataPlane.onSnapshot(({ configHash }) => {
    if (configHash === "b") throw new Error("no room");
  });
  publish(setOf("b", [probeNamed("second")]));
  await settled();
  expect(dataPlane.acquire()?.snapshot.configHash).toBe("a");
  expect(disposed).toEqual(["second"]);
});

test("a guardrail that looks at answers and cannot judge streams is refused", () => {
  publish(setOf("a", [{ use: "windowless" }]));
  expect(dataPlane.ready).toBe(false);
  expect(log.lines[0]?.fields).toMatchObject({ text: expect.stringContaining("no window") as string });
});

test("disposing lets go of the last snapshot's plug-ins", async () => {
  publish(setOf("a", [probeNamed("only")]));
  await dataPlane[Symbol.asyncDispose]();
  expect(disposed).toEqual(["only"]);
  expect(dataPlane.acquire()).toBeUndefined();
});
