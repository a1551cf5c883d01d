import { Agent, request } from "node:http";
import { connect } from "node:net";
import { expect, test } from "vitest";
import type { TestApi } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import { chatAnswer, chunk, done, startMockUpstream } from "../kit/mock-upstream.ts";

interface AgentAnswer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: Promise<string>;
}

function ask(api: TestApi, agent: Agent, body: object): Promise<AgentAnswer> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${api.key}` };
    const call = request(`${api.url}/chat/completions`, { method: "POST", headers, agent }, (response) => {
      const text = Array.fromAsync(response as AsyncIterable<Buffer>).then((pieces) =>
        Buffer.concat(pieces).toString("utf8"),
      );
      resolve({ status: response.statusCode, headers: response.headers, text });
    });
    call.on("error", reject);
    call.end(JSON.stringify(body));
  });
}

test("stopping lets a stream end, and waits for no connection that is idle or was never used", async () => {
  await using upstream = await startMockUpstream();
  await using gatehouse = await startTestGatehouse();
  const api = await gatehouse.llm("chat", `${upstream.url}/v1`);
  using agents = disposable(new Agent({ keepAlive: true }));
  const unused = connect(Number(new URL(api.url).port), "127.0.0.1");
  unused.on("error", () => {});
  await (await ask(api, agents.agent, { model: "m" })).text;

  let goOn = (): void => {};
  upstream.respond(async (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(chunk({ content: "a" }));
    await new Promise<void>((resolve) => {
      goOn = resolve;
    });
    response.end(chunk({}, { finish: "stop" }) + done);
  }, chatAnswer("late"));
  const stream = await ask(api, agents.agent, { model: "m", stream: true });
  const stoppedAt = performance.now();
  const stopped = gatehouse.running[Symbol.asyncDispose]();
  await expect(ask(api, new Agent(), { model: "m" })).rejects.toMatchObject({ code: "ECONNREFUSED" });
  goOn();
  expect(await stream.text).toContain("[DONE]");
  await stopped;
  expect(performance.now() - stoppedAt).toBeLessThan(2_000);
});

test("a request on a connection that is still open is asked to come back", async () => {
  await using upstream = await startMockUpstream();
  await using gatehouse = await startTestGatehouse();
  const api = await gatehouse.llm("chat", `${upstream.url}/v1`);
  gatehouse.running.gateway.drain();
  const answer = await ask(api, new Agent(), { model: "m" });
  expect(answer.status).toBe(503);
  expect(answer.headers).toMatchObject({ "retry-after": "1", "retry-after-ms": "1000" });
  expect(answer.headers).not.toHaveProperty("x-should-retry");
  expect(JSON.parse(await answer.text)).toMatchObject({ error: { code: "server_draining", type: "api_error" } });
  expect((await fetch(new URL("/readyz", api.url))).status).toBe(503);
  expect((await fetch(new URL("/livez", api.url))).status).toBe(200);
});

function disposable(agent: Agent): { readonly agent: Agent } & Disposable {
  return { agent, [Symbol.dispose]: () => agent.destroy() };
}
