import { createSecretKey } from "node:crypto";
import { ensureDefaults } from "../../src/core/bootstrap.ts";
import type { ApiKeyRow } from "../../src/core/catalog.ts";
import type { Actor, CoreContext } from "../../src/core/core-context.ts";
import { findKind } from "../../src/core/kinds.ts";
import type { ArtifactSet, PlaneMessage } from "../../src/core/plane-message.ts";
import { publishApi } from "../../src/core/publishing.ts";
import type { Resource, ResourceKind } from "../../src/core/resource.ts";
import { createResource } from "../../src/core/resources.ts";
import type { FieldIssue } from "../../src/kernel/errors.ts";
import { GatewayError } from "../../src/kernel/errors.ts";
import { openSqliteCatalog } from "../../src/store/sqlite/open-sqlite-catalog.ts";
import type { ManualClock } from "../kit/manual-clock.ts";
import { manualClock } from "../kit/manual-clock.ts";

export const admin: Actor = { type: "admin", id: "admin" };

/** A core on a real catalog in memory; the gateways' side and the compiler are recorded. */
export interface CoreFixture extends AsyncDisposable {
  readonly context: CoreContext;
  readonly clock: ManualClock;
  /** What the gateways were sent, in order. */
  readonly messages: PlaneMessage[];
  /** What the compiler finds fault with in a set. */
  compile: (set: ArtifactSet) => readonly FieldIssue[];
}

export interface CoreFixtureOptions {
  readonly production?: boolean;
  /** Leaves out the default team and gateway. */
  readonly empty?: boolean;
}

export async function coreFixture({
  production = false,
  empty = false,
}: CoreFixtureOptions = {}): Promise<CoreFixture> {
  const catalog = await openSqliteCatalog({ path: ":memory:" });
  const clock = manualClock();
  const messages: PlaneMessage[] = [];
  const vaultKey = createSecretKey(Buffer.alloc(32, 1));
  const silent = () => {};
  const fixture: CoreFixture = {
    clock,
    messages,
    compile: () => [],
    context: {
      catalog,
      clock,
      log: { debug: silent, info: silent, warn: silent, error: silent },
      vaultKeys: {
        current: { id: "vault-1", key: vaultKey },
        find: (id) => (id === "vault-1" ? vaultKey : undefined),
      },
      pepper: { id: "pepper-1", key: createSecretKey(Buffer.alloc(32, 2)) },
      keylessReach: production ? "nobody" : "loopback",
      publish: (message) => messages.push(message),
      check: async (set) => fixture.compile(set),
    },
    [Symbol.asyncDispose]: () => catalog[Symbol.asyncDispose](),
  };
  if (!empty) await ensureDefaults(fixture.context);
  messages.length = 0;
  return fixture;
}

export function kindOf(name: string): ResourceKind {
  const kind = findKind(name);
  if (kind === undefined) throw new TypeError(`no kind ${name}`);
  return kind;
}

export function create(
  fixture: CoreFixture,
  kind: string,
  name: string,
  spec: object,
  metadata: object = {},
): Promise<Resource> {
  return createResource(fixture.context, admin, kindOf(kind), { metadata: { name, ...metadata }, spec });
}

export const providerSpec = { use: "openai-compatible", with: { baseUrl: "https://llm.example.com/v1" } };

export function llmApiSpec(context: string, provider = "openai") {
  return { context, upstream: { production: { targets: [{ provider }] }, sandbox: { sameAs: "production" } } };
}

/** A provider `openai`, an LLM API `chat` at `/chat`, published, and an application `bot`. */
export async function withChatApi(fixture: CoreFixture): Promise<{ readonly api: Resource; readonly bot: Resource }> {
  await create(fixture, "LlmProvider", "openai", providerSpec);
  const api = await create(fixture, "LlmApi", "chat", llmApiSpec("/chat"));
  await publishApi(fixture.context, admin, kindOf("LlmApi"), "chat");
  const bot = await create(fixture, "Application", "bot", {});
  fixture.messages.length = 0;
  return { api, bot };
}

/** The error that a promise is rejected with; fails when it is not. */
export async function rejection(promise: Promise<unknown>): Promise<GatewayError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new TypeError("it was not rejected");
}

export async function storedKey(fixture: CoreFixture, name: string): Promise<ApiKeyRow> {
  const row = await fixture.context.catalog.read.apiKeys.find(name);
  if (row === undefined) throw new TypeError(`no key ${name}`);
  return row;
}

export async function auditActions(fixture: CoreFixture): Promise<readonly string[]> {
  const { rows } = await fixture.context.catalog.read.audit.list({}, { limit: 200 });
  return rows.map(({ action }) => action);
}
