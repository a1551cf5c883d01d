import { createHash, createSecretKey, randomBytes } from "node:crypto";
import { createControlApp } from "../../src/control/control-app.ts";
import type { ControlOptions } from "../../src/control/control-options.ts";
import { ensureDefaults } from "../../src/core/bootstrap.ts";
import type { CoreContext } from "../../src/core/core-context.ts";
import type { PlaneMessage } from "../../src/core/plane-message.ts";
import { openSqliteCatalog } from "../../src/store/sqlite/open-sqlite-catalog.ts";
import type { ManualClock } from "../kit/manual-clock.ts";
import { manualClock } from "../kit/manual-clock.ts";

/**
 * What tests look into, of a page, a document or a problem. Nothing is checked on the way: a member that the answer
 * lacks is undefined, and the test that looks at it fails.
 */
export interface AnswerBody {
  readonly items: readonly AnswerBody[];
  readonly next: string | undefined;
  readonly metadata: {
    readonly id: string;
    readonly name: string;
    readonly team: string;
    readonly labels: object;
    readonly version: number;
    readonly createdAt: string;
    readonly updatedAt: string;
  };
  readonly spec: {
    readonly description: string | undefined;
    readonly displayName: string | undefined;
    readonly application: string | undefined;
  };
  readonly status: {
    readonly deployed: { readonly revision: number } | null;
    readonly state: string;
    readonly lastUsedAt: string | null;
  };
  readonly key: string;
  readonly revision: number;
  readonly configHash: string;
  readonly code: string;
  readonly detail: string;
  readonly requestId: string;
  readonly errors: readonly { readonly path: string; readonly detail: string }[];
}

/** What came back. `body` is empty where the answer is not JSON. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: AnswerBody;
  readonly text: string;
}

/** The control plane's app on a catalog in memory; only the clock, the log and the gateways are played. */
export interface ControlPlane extends AsyncDisposable {
  readonly app: ReturnType<typeof createControlApp>;
  readonly context: CoreContext;
  readonly clock: ManualClock;
  /** What was sent to the gateways. */
  readonly messages: PlaneMessage[];
  readonly logged: { readonly level: string; readonly fields: object; readonly message: string }[];
  /** Sends with the admin token; a body that is not text is sent as JSON. A header of null is left out. */
  send(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string | null>>,
  ): Promise<Answer>;
}

export const adminToken = "test-admin-token";

export async function openControlPlane(
  overrides: Partial<ControlOptions> & { readonly core?: Partial<CoreContext> } = {},
): Promise<ControlPlane> {
  const catalog = await openSqliteCatalog({ path: ":memory:" });
  const clock = manualClock();
  const messages: PlaneMessage[] = [];
  const logged: ControlPlane["logged"] = [];
  const line = (level: string) => (fields: object, message: string) => void logged.push({ level, fields, message });
  const log = { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") };
  const vaultKey = { id: "v1", key: createSecretKey(randomBytes(32)) };
  const { core, ...rest } = overrides;
  const context: CoreContext = {
    catalog,
    clock,
    log,
    vaultKeys: { current: vaultKey, find: (id) => (id === vaultKey.id ? vaultKey.key : undefined) },
    pepper: { id: "p1", key: createSecretKey(randomBytes(32)) },
    keylessReach: "loopback",
    publish: (message) => void messages.push(message),
    check: async () => [],
    ...core,
  };
  await ensureDefaults(context);
  messages.length = 0;
  const app = createControlApp({
    context,
    adminTokenHash: createHash("sha256").update(adminToken).digest(),
    allowedHosts: ["localhost"],
    gatewayUrl: "http://127.0.0.1:8080",
    controlUrl: "http://127.0.0.1:9090",
    ready: () => true,
    version: "1.2.3",
    clock,
    log,
    servedKinds: ["LlmApi"],
    ...rest,
  });
  return {
    app,
    context,
    clock,
    messages,
    logged,
    async send(method, path, input, extra = {}) {
      const headers = new Headers({ authorization: `Bearer ${adminToken}` });
      if (input !== undefined) headers.set("content-type", "application/json");
      for (const [name, value] of Object.entries(extra)) {
        if (value === null) headers.delete(name);
        else headers.set(name, value);
      }
      const sent = input === undefined ? null : typeof input === "string" ? input : JSON.stringify(input);
      const response = await app.request(path, { method, headers, body: sent });
      const text = await response.text();
      const isJson = text !== "" && /[/+]json/.test(response.headers.get("content-type") ?? "");
      const body = (isJson ? JSON.parse(text) : {}) as AnswerBody; // see there: not checked, on purpose
      return { status: response.status, headers: response.headers, text, body };
    },
    [Symbol.asyncDispose]: () => catalog[Symbol.asyncDispose](),
  };
}
