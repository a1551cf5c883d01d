import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/kernel/clock.ts";
import { startNotesEndpoint } from "../../src/quickstart/notes-server/notes-endpoint.ts";
import { clientsAreInstalled } from "../clients/install-clients.ts";
import type { ConformanceTarget } from "./conformance-target.ts";
import { startConformanceTarget } from "./conformance-target.ts";
import type { KeyShim } from "./key-shim.ts";
import { startKeyShim } from "./key-shim.ts";
import { flaky, runSuite, suites } from "./run-suite.ts";

const token = "only-for-this-test";

describe.skipIf(!clientsAreInstalled())("the official suites, over a virtual server of two", () => {
  const owned = new AsyncDisposableStack();
  let target: ConformanceTarget;
  let shim: KeyShim;

  beforeAll(async () => {
    target = owned.use(await startConformanceTarget());
    const { gatehouse } = target;
    const workspaceFolder = await mkdtemp(join(tmpdir(), "gatehouse-notes-"));
    owned.defer(() => rm(workspaceFolder, { recursive: true, force: true }));
    const report = (): void => {};
    const options = { workspaceFolder, token, port: 0, anyPort: true, clock: systemClock, report };
    const notes = owned.use(await startNotesEndpoint(options));
    const auth = { secret: token };
    const production = { url: `http://127.0.0.1:${notes.port}/mcp`, auth };
    const upstream = { production, sandbox: { sameAs: "production" } };
    await gatehouse.put("McpServer", "notes", { context: "/notes", upstream });
    const virtual = { naming: "bare", servers: [{ server: "notes" }, { server: "fixture", priority: 1 }] };
    await gatehouse.put("McpServer", "all", { context: "/all", virtual });
    const key = await gatehouse.key("all", { api: { kind: "McpServer", name: "all" } });
    shim = owned.use(await startKeyShim(`${gatehouse.running.gatewayUrl}/all/mcp`, key));
  });

  afterAll(() => owned.disposeAsync());

  test.each(suites)("$name reaches the bar of the relay", async (suite) => {
    const { faults, passed, failed, repeated } = await runSuite(suite, shim.url);
    expect({ faults, passed: Math.min(passed, suite.bar), failed }).toEqual({
      faults: [],
      passed: suite.bar,
      failed: 0,
    });
    for (const name of repeated) expect(name).toMatch(flaky);
  });
});
