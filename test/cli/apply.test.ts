import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { CommandResult } from "./test-shell.ts";
import { command } from "./test-shell.ts";

let gatehouse: TestGatehouse;
let cwd: string;
let number = 0;

beforeAll(async () => {
  gatehouse = await startTestGatehouse();
});

afterAll(() => gatehouse[Symbol.asyncDispose]());

beforeEach(async () => {
  number += 1;
  cwd = join(gatehouse.dataDir, `work-${number}`);
  await mkdir(cwd);
});

const apply = (args: readonly string[], input?: string): Promise<CommandResult> =>
  command(["apply", "--data", gatehouse.dataDir, ...args], { cwd, ...(input !== undefined && { input }) });
const exists = async (kind: string, name: string): Promise<boolean> =>
  (await gatehouse.running.context.catalog.read.resources.find(kind, name)) !== undefined;
const plan = (name: string, description = "A plan"): string =>
  `apiVersion: gatehouse/v1\nkind: Plan\nmetadata:\n  name: ${name}\nspec:\n  description: ${description}\n`;

describe("what it prints", () => {
  test("created, then unchanged, then changed", async () => {
    await writeFile(join(cwd, "plan.yaml"), plan("one"));
    expect(await apply(["-f", "plan.yaml"])).toMatchObject({ code: 0, out: ["created Plan/one"] });
    expect(await apply(["-f", "plan.yaml"])).toMatchObject({ code: 0, out: ["unchanged Plan/one"] });
    await writeFile(join(cwd, "plan.yaml"), plan("one", "Another"));
    expect(await apply(["-f", "plan.yaml"])).toMatchObject({ code: 0, out: ["changed Plan/one"] });
  });

  test("a dry run says the same and changes nothing", async () => {
    await writeFile(join(cwd, "plan.yaml"), plan("dry"));
    const result = await apply(["-f", "plan.yaml", "--dry-run"]);
    expect(result).toMatchObject({ code: 0, out: ["created Plan/dry"] });
    expect(result.notes).toContain("nothing has been changed");
    expect(await exists("Plan", "dry")).toBe(false);
  });

  test("a directory stands for the YAML and JSON files in it and below", async () => {
    await mkdir(join(cwd, "all", "below"), { recursive: true });
    await writeFile(join(cwd, "all", "a.yaml"), `${plan("a-one")}---\n${plan("a-two")}`);
    await writeFile(
      join(cwd, "all", "below", "b.json"),
      JSON.stringify({ apiVersion: "gatehouse/v1", kind: "Plan", metadata: { name: "b" }, spec: {} }),
    );
    await writeFile(join(cwd, "all", "notes.txt"), "not: [a resource");
    expect((await apply(["-f", "all"])).out).toEqual(["created Plan/a-one", "created Plan/a-two", "created Plan/b"]);
  });

  test("a minus stands for the standard input", async () => {
    expect(await apply(["-f", "-"], plan("piped"))).toMatchObject({ out: ["created Plan/piped"] });
  });
});

describe("what goes live", () => {
  const api = (name: string): string =>
    `apiVersion: gatehouse/v1\nkind: LlmApi\nmetadata: { name: ${name} }\nspec:\n  context: /${name}\n  upstream: { production: { targets: [{ provider: p }] }, sandbox: { sameAs: production } }\n`;
  const provider =
    "apiVersion: gatehouse/v1\nkind: LlmProvider\nmetadata: { name: p }\nspec: { use: openai-compatible, with: { baseUrl: 'http://127.0.0.1:9/v1' } }\n";
  const deployed = async (): Promise<readonly string[]> =>
    (await gatehouse.running.context.catalog.read.deployments.all()).map(({ name }) => name);

  test("an API is published, unless it is to stay a draft", async () => {
    await apply(["-f", "-"], `${provider}---\n${api("live")}`);
    await apply(["-f", "-", "--draft"], api("quiet"));
    expect(await exists("LlmApi", "quiet")).toBe(true);
    expect(await deployed()).toEqual(["live"]);
  });
});

describe("what is refused", () => {
  test("one bad document applies nothing, and file, line and field of the fault are named", async () => {
    await writeFile(join(cwd, "two.yaml"), `${plan("good")}---\n${plan("bad").replace("description", "descripton")}`);
    const result = await apply(["-f", "two.yaml"]);
    expect(result.code).toBe(1);
    expect(result.out).toEqual([]);
    expect(result.notes).toContain("two.yaml:13 spec.descripton");
    expect(await exists("Plan", "good")).toBe(false);
  });

  test("a field inside a list is found on its line", async () => {
    const text = `${plan("deep")}  policies:\n    - use: rate-limit\n    - use: rate-limit\n      mode: perhaps\n`;
    expect((await apply(["-f", "-"], text)).notes).toContain("-:10 spec.policies[1].mode");
  });

  test("every syntax error is named with its line, and no document is sent", async () => {
    await writeFile(join(cwd, "good.yaml"), plan("before-syntax"));
    await writeFile(join(cwd, "bad.yaml"), "kind: Plan\nspec: [\n");
    const result = await apply(["-f", "good.yaml", "bad.yaml"]);
    expect(result.code).toBe(1);
    expect(result.notes).toMatch(/bad\.yaml:[23]: /);
    expect(await exists("Plan", "before-syntax")).toBe(false);
  });

  test.each([
    { kind: "ApiKey", instead: "gatehouse keys generate" },
    { kind: "Secret", instead: "gatehouse secrets set" },
  ])("a document of kind $kind, with the command to use instead", async ({ kind, instead }) => {
    const result = await apply(["-f", "-"], plan("x").replace("Plan", kind));
    expect(result).toMatchObject({ code: 1, notes: expect.stringContaining(instead) });
  });

  test("a path that leads nowhere, and a file without a document", async () => {
    expect(await apply(["-f", "nowhere.yaml"])).toMatchObject({
      code: 1,
      notes: expect.stringContaining("nowhere.yaml"),
    });
    expect(await apply(["-f", "-"], "# nothing\n")).toMatchObject({
      code: 1,
      notes: expect.stringContaining("no document"),
    });
  });

  test("an alias bomb does not blow up", async () => {
    const bomb = [
      "a: &a [x, x, x, x, x, x, x, x, x, x]",
      ...Array.from({ length: 9 }, (_, at) => {
        const [name, before] = ["bcdefghij"[at], "abcdefghi"[at]];
        return `${name}: &${name} [*${before}, *${before}, *${before}, *${before}, *${before}, *${before}, *${before}, *${before}]`;
      }),
    ].join("\n");
    expect(await apply(["-f", "-"], bomb)).toMatchObject({ code: 1, out: [] });
  });
});

describe("whom it talks to", () => {
  test("a wrong token is refused with where to put the right one, and is not repeated", async () => {
    const result = await apply(["-f", "-", "--token", "canary-token"], plan("x"));
    expect(result).toMatchObject({ code: 1, notes: expect.stringContaining("GATEHOUSE_ADMIN_TOKEN") });
    expect(result.notes).not.toContain("canary-token");
  });

  test("an address without a control plane is named, with what to do", async () => {
    const result = await apply(["-f", "-", "--control-url", gatehouse.running.gatewayUrl], plan("x"));
    expect(result).toMatchObject({ code: 1, notes: expect.stringContaining(gatehouse.running.gatewayUrl) });
    const nobody = await apply(["-f", "-", "--control-url", "http://127.0.0.1:1"], plan("x"));
    expect(nobody).toMatchObject({ code: 1, notes: expect.stringMatching(/Nobody answers.*--offline/) });
  });

  test("offline it opens the directory itself, when nobody holds it", async () => {
    const data = join(cwd, "mine");
    const offline = (): Promise<CommandResult> =>
      command(["apply", "-f", "-", "--offline", "--data", data], { cwd, input: plan("alone") });
    expect(await offline()).toMatchObject({ code: 0, out: ["created Plan/alone"] });
    expect(await offline()).toMatchObject({ code: 0, out: ["unchanged Plan/alone"] });
    const held = await command(["apply", "-f", "-", "--offline", "--data", gatehouse.dataDir], {
      cwd,
      input: plan("x"),
    });
    expect(held).toMatchObject({ code: 1, notes: expect.stringContaining(`process ${process.pid}`) });
  });
});
