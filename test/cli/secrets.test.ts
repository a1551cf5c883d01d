import { afterAll, beforeAll, expect, test } from "vitest";
import { readSecret } from "../../src/core/secrets.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { CommandResult } from "./test-shell.ts";
import { command } from "./test-shell.ts";

let gatehouse: TestGatehouse;

beforeAll(async () => {
  gatehouse = await startTestGatehouse();
});

afterAll(() => gatehouse[Symbol.asyncDispose]());

const secrets = (args: readonly string[], input = ""): Promise<CommandResult> =>
  command(["secrets", ...args, "--data", gatehouse.dataDir], { cwd: gatehouse.dataDir, input });

test("a value goes in from the standard input without its last line break, and never comes out again", async () => {
  const set = await secrets(["set", "llm-key"], "canary\n-4711\n");
  expect(set).toMatchObject({ code: 0, out: ["created Secret/llm-key"] });
  expect(await readSecret(gatehouse.running.context, "llm-key")).toBe("canary\n-4711");
  const listed = [await secrets(["list"]), await secrets(["list", "--json"])];
  expect(listed[0]?.out[1]).toMatch(/^llm-key +default +1 /);
  expect(JSON.stringify([set, listed, gatehouse.log.lines])).not.toContain("4711");
});

test("setting it again changes it", async () => {
  await secrets(["set", "twice"], "one");
  expect((await secrets(["set", "twice"], "two")).out).toEqual(["changed Secret/twice"]);
  expect(await readSecret(gatehouse.running.context, "twice")).toBe("two");
});

test("a value on the command line is no argument that there is", async () => {
  expect(await secrets(["set", "plain", "canary"])).toMatchObject({ code: 2, out: [] });
});

test("an empty value is refused with how to give one", async () => {
  expect(await secrets(["set", "empty"], "\n")).toMatchObject({ code: 1, notes: expect.stringContaining("printf %s") });
});

test("a secret in use is kept, and its holder named; one that is not in use is deleted", async () => {
  await secrets(["set", "held"], "x");
  await gatehouse.put("LlmProvider", "holder", {
    use: "openai-compatible",
    with: { baseUrl: "http://127.0.0.1:9/v1", apiKey: "${secret:held}" },
  });
  expect(await secrets(["rm", "held"])).toMatchObject({
    code: 1,
    notes: expect.stringContaining("LlmProvider/holder"),
  });
  await secrets(["set", "free"], "x");
  expect(await secrets(["rm", "free"])).toMatchObject({ code: 0, out: ["deleted Secret/free"] });
});
