import { afterAll, beforeAll, expect, test } from "vitest";
import { putSecret } from "../../../src/core/secrets.ts";
import type { TestApi, TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse, testActor } from "../../kit/gatehouse.ts";
import type { MockUpstream, Respond } from "../../kit/mock-upstream.ts";
import { chatAnswer, startMockUpstream } from "../../kit/mock-upstream.ts";

let gatehouse: TestGatehouse;
let model: MockUpstream;
let service: MockUpstream;

beforeAll(async () => {
  model = await startMockUpstream(chatAnswer("Take the red pill."));
  service = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  await putSecret(gatehouse.running.context, testActor, { name: "hook", value: "a-signing-secret", team: "default" });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
});

const attachment = (more: object = {}) => ({
  use: "webhook-guardrail",
  with: { url: `${service.url}/inspect`, secret: "${secret:hook}", timeoutMs: 5_000 },
  ...more,
});

async function open(name: string, more: object): Promise<TestApi> {
  return gatehouse.llm(name, `${model.url}/v1`, { policies: [attachment(more)] as never }); // the schema checks it
}

async function ask({ url, key }: TestApi): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await fetch(`${url}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: "gpt-test", messages: [{ role: "user", content: "Which pill?" }] }),
  });
  return { status: answer.status, text: await answer.text() };
}

/** Does to each text what is told. */
function rewriting(change: (text: string) => string): Respond {
  return (request, response) => {
    const { data } = JSON.parse(request.body.toString()) as { data: { texts: { text: string }[] } }; // as it was sent
    const texts = data.texts.map(({ text }) => change(text));
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ verdict: "rewrite", texts }));
  };
}

const failing: Respond = (_, response) => void response.writeHead(500).end();

test("publishing is refused until the attachment says what happens when the service fails", async () => {
  await expect(open("unsaid", {})).rejects.toMatchObject({
    issues: [{ path: expect.stringMatching(/policies\[0\]\.onError$/) }],
  });
});

test("requests and answers go on as the service has rewritten them", async () => {
  service.respond(rewriting((text) => text.replace("pill", "tablet")));
  const answer = await ask(await open("rewritten", { onError: "deny" }));
  expect(answer.status).toBe(200);
  expect(answer.text).toContain("Take the red tablet.");
  expect(model.seen.at(-1)?.body.toString()).toContain("Which tablet?");
});

test("with `deny`, nothing passes while the service fails, and the caller learns nothing of it", async () => {
  service.respond(failing);
  const before = model.seen.length;
  const answer = await ask(await open("strict", { onError: "deny" }));
  expect(answer.status).toBe(500);
  expect(answer.text).not.toContain(String(service.port));
  expect(model.seen.length).toBe(before);
});

test("with `continue`, all passes while the service fails, and the row says so", async () => {
  service.respond(failing);
  const answer = await ask(await open("lenient", { onError: "continue" }));
  expect([answer.status, answer.text.includes("Take the red pill.")]).toEqual([200, true]);
  const row = (await gatehouse.events()).findLast((event) => event.type === "exchange");
  expect(row).toMatchObject({
    decisions: [
      { policy: "webhook-guardrail", step: "request", action: "error" },
      { policy: "webhook-guardrail", step: "response", action: "error" },
    ],
  });
});
