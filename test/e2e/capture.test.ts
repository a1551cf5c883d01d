import { readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { capturedTexts } from "../../src/cli/captured-texts.ts";
import { explain } from "../../src/cli/explain.ts";
import { testShell } from "../cli/test-shell.ts";
import { messageOf, publishServer, sse, textResult, toolCall } from "../gateway/mcp/published-server.ts";
import { describeWithEngine } from "../kit/embedded-clickhouse.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { MockUpstream, Respond } from "../kit/mock-upstream.ts";
import { chatAnswer, chunk, done, events, json, startMockUpstream } from "../kit/mock-upstream.ts";
import { rawHttp } from "../kit/raw-http.ts";

const person = "ada.lovelace@example.org";
const card = "4111 1111 1111 1111";
const token = "sk_live_9fG27JqMxkVDbrktR4zep8wc";
const planted = `Canary of ${person} with ${card} and ${token} ends`;
const pieces = ["ada.lovelace", "4111 1111", "sk_live_9fG2"];

/** All that the spool has on its disk. */
async function spooled({ running }: TestGatehouse): Promise<string> {
  await running.gateway[Symbol.asyncDispose](); // texts that are on their way come first
  await running.spool.flush();
  const directory = running.dataDirectory.spoolPath;
  const files = (await readdir(directory)).sort();
  return (await Promise.all(files.map((name) => readFile(join(directory, name), "utf8")))).join("");
}

const capturesIn = (lines: string): readonly string[] =>
  lines.split("\n").filter((line) => line.startsWith('["capture",'));

describe("what the spool has of captured texts", () => {
  let gatehouse: TestGatehouse;
  let upstream: MockUpstream;
  beforeAll(async () => {
    upstream = await startMockUpstream();
    gatehouse = await startTestGatehouse();
  });
  afterAll(async () => {
    await gatehouse[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  });

  const streamed: Respond = events([
    ...Array.from(planted, (letter) => chunk({ content: letter })),
    chunk({}, { finish: "stop" }),
    done,
  ]);
  const turns = [{ role: "user", content: planted }];
  const tools = [{ type: "function", function: { name: "find", parameters: { description: planted } } }];
  const dialects = [
    { path: "chat/completions", body: { model: "m", messages: turns, tools } },
    { path: "messages", body: { model: "m", max_tokens: 99, messages: turns } },
    { path: "responses", body: { model: "m", input: planted } },
  ];

  test("is nothing personal, over the dialects of models and both eras of MCP, whole and streamed", async () => {
    const llm = await gatehouse.llm("chat", `${upstream.url}/v1`, { capture: {} });
    const headers = {
      "content-type": "application/json",
      authorization: `Bearer ${llm.key}`,
      "anthropic-version": "2023-06-01",
    };
    for (const { path, body } of dialects)
      for (const stream of [false, true]) {
        upstream.respond(stream ? streamed : chatAnswer(planted));
        const answer = await rawHttp(`${llm.url}/${path}`, { headers, body: JSON.stringify({ ...body, stream }) });
        expect([path, stream, answer.status]).toEqual([path, stream, 200]);
      }
    const server = await publishServer(gatehouse, "notes", `${upstream.url}/mcp`, { capture: {} });
    const args = { note: planted, deep: [{ [person]: planted }] };
    for (const era of ["legacy", "modern"] as const)
      for (const stream of [false, true]) {
        upstream.respond((request, response) => {
          const result = textResult(messageOf(request).id, planted, { structuredContent: { row: planted } });
          return stream ? events([sse(result)])(request, response) : json(200, result)(request, response);
        });
        expect((await server.post(toolCall(era, 1, "add", args), { era })).status).toBe(200);
      }
    const lines = await spooled(gatehouse);
    for (const piece of [...pieces, llm.key, server.key]) expect(lines).not.toContain(piece);
    const captures = capturesIn(lines);
    expect(captures).toHaveLength(10);
    for (const line of captures) {
      expect(line.match(/Canary of \[email\] with \[credit-card\] and \[stripe-key\] ends/g)?.length).toBeGreaterThan(
        1,
      );
    }
  });
});

describeWithEngine("captured texts", () => {
  test("are read by who may, and end when the API does not ask for them any more", async () => {
    await using upstream = await startMockUpstream(chatAnswer(`It is ${person}.`));
    await using gatehouse = await startTestGatehouse({ "analytics.mode": "embedded" });
    const { controlUrl, adminToken } = gatehouse.running;
    const access = { controlUrl, token: adminToken };
    let expected = 0;
    const ask = async (api: { url: string; key: string }, rows: number): Promise<string> => {
      const headers = { "content-type": "application/json", authorization: `Bearer ${api.key}` };
      const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: "Who is it?" }] });
      const answer = await rawHttp(`${api.url}/chat/completions`, { headers, body });
      const { spool, analytics } = gatehouse.running;
      expected += rows;
      // Texts come a little after the rows.
      await expect.poll(() => spool.flush().then(() => spool.spooled), { timeout: 30_000 }).toBe(expected);
      await analytics.catchUp();
      return String(answer.headers["x-request-id"]);
    };
    const run = async (command: (shell: ReturnType<typeof testShell>) => Promise<void>): Promise<string> => {
      const shell = testShell({ cwd: tmpdir() });
      await command(shell);
      return shell.lines.join("\n");
    };

    const kept = await ask(await gatehouse.llm("chat", `${upstream.url}/v1`, { capture: { days: 1 } }), 3);
    const texts = (): Promise<string> => run((shell) => capturedTexts(kept, access, shell));
    expect(await texts()).toContain("request messages[0].content (user): Who is it?");
    expect(await texts()).toContain("(assistant): It is [email].");
    expect(await run((shell) => explain(kept, access, shell))).toContain(`gatehouse analytics texts ${kept}`);

    const gone = await ask(await gatehouse.llm("chat", `${upstream.url}/v1`), 2);
    expect(await run((shell) => explain(gone, access, shell))).not.toContain("Texts are kept");
    await expect(run((shell) => capturedTexts(gone, access, shell))).rejects.toMatchObject({
      code: "resource.not_found",
    });
  }, 120_000 /* two starts of the engine on a busy machine */);
});
