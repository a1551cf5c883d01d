import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { loadConfig } from "../../../src/config.ts";
import { application } from "../../../src/core/application.ts";
import { createOauthClient } from "../../../src/core/oauth-clients.ts";
import type { ResourceKind } from "../../../src/core/resource.ts";
import { createResource } from "../../../src/core/resources.ts";
import { createUser } from "../../../src/core/users.ts";
import type { RunningGatehouse } from "../../../src/main.ts";
import { startGatehouse } from "../../../src/main.ts";
import { memoryLog, testActor } from "../../kit/gatehouse.ts";
import { agree, password } from "./auth-kit.ts";
import { createBrowser } from "./browser.ts";

/** Starts on a data directory, as an operator does again after having registered the client. */
async function start(dataDir: string, flags: Record<string, string> = {}): Promise<RunningGatehouse> {
  const usual = { dataDir, port: "0", controlPort: "0", "analytics.mode": "off" };
  return startGatehouse(loadConfig({ flags: { ...usual, ...flags }, env: {}, cwd: dataDir }), { log: memoryLog() });
}

async function registerClient(dataDir: string): Promise<string> {
  await using before = await start(dataDir);
  const { context } = before;
  const kind = application as unknown as ResourceKind; // as in the list of kinds
  await createResource(context, testActor, kind, { metadata: { name: "console" }, spec: {} });
  const made = await createOauthClient(context, testActor, "console", {
    spec: {
      environment: "production",
      // Of a native client: the port of a loopback address is free (RFC 8252, 7.3).
      redirectUris: ["http://127.0.0.1/api/v1/session/sso/resident/callback"],
      applicationType: "native",
      tokenEndpointAuthMethod: "none",
      grantTypes: ["authorization_code"],
    },
  });
  await createUser(context, testActor, { metadata: { name: "ada" }, spec: { roles: ["analyst"] }, password });
  return made.row.clientId;
}

describe("signing in to the control plane with the resident key manager", () => {
  test("is the whole way over sockets, and gives the user's own roles", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "gatehouse-sign-in-"));
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
    const clientId = await registerClient(dataDir);
    await using gatehouse = await start(dataDir, { "signIn.sso": JSON.stringify({ resident: { clientId } }) });
    const { controlUrl, gatewayUrl } = gatehouse;
    const callback = `${controlUrl}/api/v1/session/sso/resident/callback`;

    const console = createBrowser(controlUrl);
    const begun = await console.open(`${controlUrl}/api/v1/session/sso/resident?return_to=/home`);
    expect(begun.redirect?.origin).toBe(gatewayUrl);
    const seen = await agree(createBrowser(gatewayUrl), begun.redirect?.href ?? "");
    expect(seen.redirect?.href).toContain(`${callback}?`);
    const back = await console.open(seen.redirect?.href ?? "");
    expect(back.status).toBe(200);
    expect(back.html).toContain("url=/home");

    const me = await console.open(`${controlUrl}/api/v1/session`);
    expect(JSON.parse(me.html)).toMatchObject({ user: { name: "ada" }, roles: ["analyst"] });
    const again = await console.open(seen.redirect?.href ?? "");
    expect(again.status).toBe(403);
  });
});
