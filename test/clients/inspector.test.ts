import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FixtureServer } from "../conformance/fixture-server.ts";
import { startFixtureServer } from "../conformance/fixture-server.ts";
import type { PublishedServer } from "../gateway/mcp/published-server.ts";
import { publishServer } from "../gateway/mcp/published-server.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import { clientFile, clientsAreInstalled } from "./install-clients.ts";

describe.skipIf(!clientsAreInstalled())("the Inspector's command line", () => {
  let gatehouse: TestGatehouse;
  let fixture: FixtureServer;
  let server: PublishedServer;
  let home = "";

  beforeAll(async () => {
    fixture = await startFixtureServer();
    gatehouse = await startTestGatehouse();
    server = await publishServer(gatehouse, "fixture", fixture.url);
    home = await mkdtemp(join(tmpdir(), "gatehouse-inspector-"));
  });

  afterAll(async () => {
    await gatehouse[Symbol.asyncDispose]();
    await fixture[Symbol.asyncDispose]();
    await rm(home, { recursive: true, force: true });
  });

  const inspect = (header: string, ...args: string[]): Promise<{ code: number | null; output: string }> =>
    new Promise((resolve, reject) => {
      const cli = clientFile("@modelcontextprotocol/inspector/clients/launcher/build/index.js");
      const target = ["--cli", server.url, "--transport", "http", "--header", header];
      const env = { ...process.env, HOME: home };
      const child = spawn(process.execPath, [cli, ...target, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
      let output = "";
      child.stdout.on("data", (chunk: Buffer) => {
        output += chunk.toString("utf8");
      });
      child.on("error", reject);
      child.on("close", (code) => resolve({ code, output }));
    });

  test.each([
    { name: "a bearer token", header: () => `Authorization: Bearer ${server.key}` },
    { name: "the key header", header: () => `apikey: ${server.key}` },
  ])("lists the tools with $name", async ({ header }) => {
    const { code, output } = await inspect(header(), "--method", "tools/list");
    expect(code).toBe(0);
    expect(output).toContain('"test_simple_text"');
  });

  test("calls a tool, reads a resource, gets a prompt", async () => {
    const header = `Authorization: Bearer ${server.key}`;
    const call = await inspect(header, "--method", "tools/call", "--tool-name", "echo", "--tool-arg", "text=through");
    const read = await inspect(header, "--method", "resources/read", "--uri", "test://static-text");
    const prompt = await inspect(header, "--method", "prompts/get", "--prompt-name", "test_simple_prompt");
    expect([call.code, read.code, prompt.code]).toEqual([0, 0, 0]);
    expect(call.output).toContain("through");
    expect(read.output).toContain("static text resource");
    expect(prompt.output).toContain("simple prompt");
  });

  test("fails with a key that nobody made", async () => {
    const { code } = await inspect("Authorization: Bearer nonsense", "--method", "tools/list");
    expect(code).not.toBe(0);
  });
});
