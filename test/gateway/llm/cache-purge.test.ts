import { afterAll, beforeAll, expect, test } from "vitest";
import { command } from "../../cli/test-shell.ts";
import type { TestApi, TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { startMockUpstream } from "../../kit/mock-upstream.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
const apis: TestApi[] = [];

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  const policies = [{ use: "semantic-cache" }];
  for (const name of ["one", "two"]) apis.push(await gatehouse.llm(name, `${upstream.url}/v1`, { policies }));
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

async function cacheOf(api: TestApi | undefined): Promise<string | null> {
  const answer = await fetch(`${api?.url}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${api?.key}` },
    body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "What is there?" }] }),
  });
  await answer.text();
  return answer.headers.get("x-gatehouse-cache");
}

const purge = (name: string) =>
  command(["cache", "purge", name, "--data", gatehouse.dataDir], { cwd: gatehouse.dataDir });

test("a purge drops the answers of its API and leaves those of others", async () => {
  for (const api of apis) await cacheOf(api);
  const { code, notes } = await purge("one");
  expect([code, notes]).toEqual([0, expect.stringContaining("answers of one are dropped")]);
  expect([await cacheOf(apis[0]), await cacheOf(apis[1])]).toEqual(["miss", "hit"]);
  expect(await cacheOf(apis[0])).toBe("hit");
});

test("a purge of an API that is not there says so", async () => {
  const { code, notes } = await purge("nobody");
  expect([code, notes]).toEqual([1, expect.stringContaining("nobody")]);
});
