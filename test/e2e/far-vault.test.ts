import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { addGatewayToken } from "../../src/core/gateway-tokens.ts";
import { revokeUpstreamCredential } from "../../src/core/upstream-vault.ts";
import type { ConsentKit } from "../gateway/mcp/credentials/consent-kit.ts";
import { linkIn, startConsentKit, used } from "../gateway/mcp/credentials/consent-kit.ts";
import { modernVersion } from "../gateway/mcp/published-server.ts";
import { eventually } from "../kit/eventually.ts";
import { testActor } from "../kit/gatehouse.ts";
import type { GatehouseProcess } from "../kit/gatehouse-process.ts";
import { startGatehouseProcess } from "../kit/gatehouse-process.ts";

let kit: ConsentKit;
let gateway: GatehouseProcess;
let root: string;

beforeEach(async () => {
  kit = await startConsentKit();
  root = await mkdtemp(join(tmpdir(), "gatehouse-far-vault-"));
  const { context, controlUrl, gatewayUrl } = kit.at.gatehouse.running;
  const { token } = await addGatewayToken(context, testActor, "default");
  const tokenFile = join(root, "token");
  await writeFile(tokenFile, `${token}\n`, { mode: 0o600 });
  const dataDir = join(root, "data");
  await mkdir(dataDir, { mode: 0o700 });
  gateway = await startGatehouseProcess({
    dataDir,
    adminToken: "far-vault-admin-token-0123456789",
    args: ["--planes", "gateway", "--control-url", controlUrl, "--gateway-token-file", tokenFile],
    env: { GATEHOUSE_PUBLIC_URL: gatewayUrl, GATEHOUSE_ALLOWED_HOSTS: "127.0.0.1" },
  });
}, 60_000);

afterEach(async () => {
  await gateway[Symbol.asyncDispose]();
  await kit[Symbol.asyncDispose]();
  await rm(root, { recursive: true, force: true });
});

async function look(token: string): Promise<unknown> {
  const meta = {
    "io.modelcontextprotocol/protocolVersion": modernVersion,
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const params = { name: "look", arguments: {}, _meta: meta };
  const answer = await fetch(`${gateway.gatewayUrl}/tools/mcp`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": modernVersion,
      "mcp-method": "tools/call",
      "mcp-name": "look",
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params }),
  });
  return answer.json();
}

test("a gateway alone shows the tokens that its control plane keeps, writes none down, and hears when one is taken away", async () => {
  const token = await kit.tokenOf("ada");
  let asked: unknown;
  await eventually(
    "the gateway has heard of the key that the first token is signed with",
    async () => {
      asked = await look(token);
      return JSON.stringify(asked).includes('"isError":true');
    },
    10_000,
  );
  await kit.consent("ada", linkIn(asked));
  expect(await look(token)).toMatchObject(used);
  const shown = kit.upstream.seen.at(-1)?.authorization ?? "";
  expect(shown).toMatch(/^Bearer upstream-token-/);
  expect(await look(token)).toMatchObject(used);

  expect(linkIn(await look(await kit.tokenOf("bob")))).toContain("/auth/connect/tools");

  const { context } = kit.at.gatehouse.running;
  const { rows } = await context.catalog.read.upstreamCredentials.list({}, { limit: 10, cursor: undefined });
  for (const { id } of rows) await revokeUpstreamCredential(context, testActor, id);
  await eventually(
    "the gateway has heard of it",
    async () => JSON.stringify(await look(token)).includes("/connect/"),
    10_000,
  );

  const files = (await readdir(root, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  for (const file of files) {
    const text = await readFile(join(file.parentPath, file.name), "latin1");
    expect([file.name, text.includes(shown.slice("Bearer ".length))]).toEqual([file.name, false]);
  }
}, 60_000);
