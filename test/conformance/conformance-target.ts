import type { McpEra } from "../../src/mcp/wire/legacy.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { FixtureServer } from "./fixture-server.ts";
import { startFixtureServer } from "./fixture-server.ts";
import { startKeyShim } from "./key-shim.ts";

/** The product in front of the fixture, as the suites see it. */
export interface ConformanceTarget extends AsyncDisposable {
  /** The fixture's own address, without a gateway. */
  readonly direct: string;
  /** Through the gateway, keys and all. */
  readonly url: string;
  readonly gatehouse: TestGatehouse;
  readonly fixture: FixtureServer;
}

/**
 * Starts the fixture, a gateway that asks for keys, an `McpServer` in it, and the shim that adds the key. The fixture may
 * be of one era only, and the server's `upstream` may say more.
 */
export async function startConformanceTarget({
  era,
  upstream: more,
}: {
  readonly era?: McpEra;
  readonly upstream?: object;
} = {}): Promise<ConformanceTarget> {
  const fixture = await startFixtureServer(era === undefined ? {} : { era });
  const gatehouse = await startTestGatehouse();
  const upstream = { production: { url: fixture.url, ...more }, sandbox: { sameAs: "production" } };
  await gatehouse.put("McpServer", "fixture", { context: "/fixture", upstream });
  const key = await gatehouse.key("fixture", { api: { kind: "McpServer", name: "fixture" } });
  const shim = await startKeyShim(`${gatehouse.running.gatewayUrl}/fixture/mcp`, key);
  return {
    direct: fixture.url,
    url: shim.url,
    gatehouse,
    fixture,
    async [Symbol.asyncDispose]() {
      await shim[Symbol.asyncDispose]();
      await gatehouse[Symbol.asyncDispose]();
      await fixture[Symbol.asyncDispose]();
    },
  };
}
