import { expect, test } from "vitest";
import { startTestGatehouse } from "./kit/gatehouse.ts";
import { startMockUpstream } from "./kit/mock-upstream.ts";

test.each([
  { name: "an exchange leaves an event", settings: {}, kept: 1 },
  { name: "no exchange leaves an event where events are off", settings: { "analytics.events": "off" }, kept: 0 },
])("$name", async ({ settings, kept }) => {
  await using upstream = await startMockUpstream();
  await using gatehouse = await startTestGatehouse(settings);
  const { url, key } = await gatehouse.llm("chat", upstream.url);
  const answer = await fetch(`${url}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "Hello." }] }),
  });
  expect(answer.status).toBe(200);
  await answer.text();
  expect((await gatehouse.events()).filter((event) => event.type === "exchange")).toHaveLength(kept);
});
