import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { publishServer } from "../gateway/mcp/published-server.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { ChildServer } from "./child-server.ts";
import { startBehindHttp, startEverything } from "./child-server.ts";
import { clientsAreInstalled } from "./install-clients.ts";
import type { LegacyClient } from "./legacy-client.ts";
import { connectLegacyClient } from "./legacy-client.ts";

describe.skipIf(!clientsAreInstalled())("servers of others, behind the gateway", () => {
  let gatehouse: TestGatehouse;
  let folder = "";

  beforeAll(async () => {
    gatehouse = await startTestGatehouse();
    folder = await realpath(await mkdtemp(join(tmpdir(), "gatehouse-files-")));
    await writeFile(join(folder, "note.txt"), "written before");
  });

  afterAll(async () => {
    await gatehouse[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  describe("server-everything", () => {
    let everything: ChildServer;
    let client: LegacyClient;

    beforeAll(async () => {
      everything = await startEverything();
      const server = await publishServer(gatehouse, "everything", everything.url);
      client = await connectLegacyClient(server.url, server.key);
    });

    afterAll(async () => {
      await client.close();
      await everything[Symbol.asyncDispose]();
    });

    test("echoes, and gives all kinds of content", async () => {
      const echoed = await client.callTool({ name: "echo", arguments: { message: "hello" } });
      expect(JSON.stringify(echoed.content)).toContain("hello");
      const image = await client.callTool({ name: "get-tiny-image", arguments: {} });
      expect(JSON.stringify(image.content)).toContain('"type":"image"');
    });

    test("reports the progress of a long operation", async () => {
      const heard: number[] = [];
      const onprogress = ({ progress }: { progress: number }): void => void heard.push(progress);
      const call = { name: "trigger-long-running-operation", arguments: { duration: 0.2, steps: 4 } };
      await client.callTool(call, undefined, { onprogress });
      expect(heard).toEqual([1, 2, 3, 4]);
    });

    test("asks for samples and forms", async () => {
      const sampled = await client.callTool({ name: "trigger-sampling-request", arguments: { prompt: "Capital?" } });
      expect(JSON.stringify(sampled.content)).toContain("Paris");
      const asked = await client.callTool({ name: "trigger-elicitation-request", arguments: {} });
      expect(JSON.stringify(asked.content)).toContain("ada");
    });
  });

  test("server-filesystem reads and writes below its folder, and nowhere else", async () => {
    await using files = await startBehindHttp("@modelcontextprotocol/server-filesystem/dist/index.js", [folder]);
    const server = await publishServer(gatehouse, "files", files.url);
    const client = await connectLegacyClient(server.url, server.key);
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain("write_file");
    const read = await client.callTool({ name: "read_text_file", arguments: { path: join(folder, "note.txt") } });
    expect(JSON.stringify(read.content)).toContain("written before");
    const path = join(folder, "new.txt");
    await client.callTool({ name: "write_file", arguments: { path, content: "written through" } });
    const again = await client.callTool({ name: "read_text_file", arguments: { path } });
    expect(JSON.stringify(again.content)).toContain("written through");
    expect((await client.callTool({ name: "read_text_file", arguments: { path: "/etc/passwd" } })).isError).toBe(true);
    await client.close();
  });
});
