import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { StdioCommand } from "../../../../src/core/mcp-stdio.ts";
import { stdioCommandSchema } from "../../../../src/core/mcp-stdio.ts";
import { createStdioUpstream } from "../../../../src/gateway/mcp/channel/stdio-upstream.ts";
import { Cancellation } from "../../../../src/kernel/cancellation.ts";
import type { Clock } from "../../../../src/kernel/clock.ts";
import { systemClock } from "../../../../src/kernel/clock.ts";
import { GatewayError } from "../../../../src/kernel/errors.ts";
import type { McpBackend, McpCall, McpContext, McpReply } from "../../../../src/mcp/backend.ts";
import { eventually } from "../../../kit/eventually.ts";
import { memoryLog } from "../../../kit/gatehouse.ts";
import { manualClock } from "../../../kit/manual-clock.ts";

const script = join(import.meta.dirname, "stdio-fixture.ts");
const open: McpBackend[] = [];
const log = memoryLog();

afterEach(async () => {
  for (const backend of open.splice(0)) await backend.dispose();
});

function start(more: Partial<StdioCommand> = {}, clock: Clock = systemClock): McpBackend {
  const allowed = { ...stdioCommandSchema.parse({ command: process.execPath, args: [script] }), ...more };
  const backend = createStdioUpstream({
    allowed,
    secrets: { read: (name) => `value of ${name}` },
    clock,
    log,
    server: "fixture",
    timeouts: { connectMs: 5_000, firstByteMs: 30_000, idleMs: 30_000 },
    maxBytes: 1_000_000,
  });
  open.push(backend);
  return backend;
}

function context(more: Partial<McpContext> = {}): McpContext {
  const client = {
    era: "legacy",
    protocolVersion: "2025-11-25",
    info: { name: "c", version: "1" },
    capabilities: { elicitation: {} },
    logLevel: undefined,
  } as const;
  return {
    exchange: undefined,
    owner: "ada",
    session: undefined,
    client,
    cancellation: new Cancellation(),
    headers: {},
    progressToken: undefined,
    notify: () => undefined,
    ask: async () => ({ result: { action: "accept" } }),
    ...more,
  };
}

async function call(backend: McpBackend, name: string, own = context(), args: object = {}): Promise<string> {
  const reply: McpReply = await backend.request({ method: "tools/call", params: { name, arguments: args } }, own);
  if ("error" in reply) throw new Error(reply.error.message);
  return (reply.result["content"] as { text: string }[])[0]?.text ?? ""; // as the fixture answers
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("a process on its standard streams", () => {
  test("serves calls, with progress and questions to the client that it belongs to", async () => {
    const backend = start();
    const told: McpCall[] = [];
    expect((await backend.facts(context())).serverInfo).toEqual({ name: "fixture", version: "1" });
    expect(await call(backend, "echo", context(), { words: "ünï\u2028" })).toBe("ünï\u2028");
    const notify = (news: McpCall): void => void told.push(news);
    expect(await call(backend, "progress", context({ progressToken: "mine", notify }))).toBe("done");
    expect(told).toEqual([{ method: "notifications/progress", params: { progressToken: "mine", progress: 1 } }]);
    expect(await call(backend, "ask")).toBe('{"action":"accept"}');
  });

  test("gets the environment that was said, secrets in place, and nothing of the gateway's; no shell reads its arguments", async () => {
    process.env["CANARY_FOR_STDIO"] = "leaked";
    const env = { PATH: "/usr/bin", TOKEN: "${secret:tickets-token}", PLAIN: "$(touch /tmp/never) `id`" };
    const backend = start({ env, args: [script, "$(id)", "; touch x", "*"] });
    const seen = JSON.parse(await call(backend, "env")) as Record<string, string>; // the fixture's own
    expect(seen).toEqual({ ...env, TOKEN: "value of tickets-token" });
    expect(JSON.parse(await call(backend, "argv"))).toEqual(["$(id)", "; touch x", "*"]);
    delete process.env["CANARY_FOR_STDIO"];
  });

  test("is each caller's own where principals share none, and everybody's where they share one", async () => {
    const own = start();
    const ada = await call(own, "pid");
    expect(await call(own, "pid")).toBe(ada);
    expect(await call(own, "pid", context({ owner: "bob" }))).not.toBe(ada);
    const shared = start({ share: "server" });
    const one = await call(shared, "pid");
    expect(await call(shared, "pid", context({ owner: "bob", session: "s" }))).toBe(one);
    expect(await call(shared, "ask")).toContain("No client is here");
  });

  test("is started again by the next call after it has ended; the call that it ended in has failed", async () => {
    const backend = start();
    const pid = await call(backend, "pid");
    await expect(call(backend, "crash")).rejects.toMatchObject({
      code: "upstream.reset",
      detail: expect.stringContaining("exit 3") as unknown,
    });
    await eventually(
      "it may start again",
      async () => {
        const now = await call(backend, "pid").catch(() => pid);
        return now !== pid;
      },
      5_000,
    );
  });

  test("is left alone for longer each time that it ends at once", async () => {
    const clock = manualClock();
    const backend = start({ args: [script, "--dies"] }, clock);
    const codeOf = () =>
      backend.facts(context()).then(
        () => "",
        (error: unknown) => (error instanceof GatewayError ? error.code : String(error)),
      );
    expect(await codeOf()).toBe("upstream.reset");
    await eventually("it rests", async () => (await codeOf()) === "upstream.unavailable");
    clock.advance(1_000);
    expect(await codeOf()).toBe("upstream.reset");
    await eventually("it rests again", async () => (await codeOf()) === "upstream.unavailable");
    clock.advance(1_000);
    expect(await codeOf()).toBe("upstream.unavailable");
    clock.advance(1_000);
    expect(await codeOf()).toBe("upstream.reset");
  });

  test("may say what is no message, and answers of nobody's; a message without end ends it", async () => {
    const backend = start();
    expect(await call(backend, "noise")).toBe("still here");
    expect(await call(backend, "stray")).toBe("mine");
    await expect(call(backend, "endless")).rejects.toMatchObject({ code: "upstream.too_large" });
  });

  test("has its log taken over, cut in length and number", async () => {
    const backend = start();
    const before = log.lines.length;
    expect(await call(backend, "shout")).toBe("shouted");
    await eventually("its lines are there", () => log.lines.length > before);
    const said = log.lines.slice(before).map(({ fields }) => (fields as { line: string }).line);
    expect(said.length).toBeLessThanOrEqual(60);
    expect(Math.max(...said.map((line) => line.length))).toBeLessThanOrEqual(500);
  });

  test("hears that a caller has left, and goes on for the others", async () => {
    const backend = start();
    const own = context();
    await call(backend, "pid");
    const silent = call(backend, "silent", own);
    own.cancellation.cancel(new GatewayError("client.closed", "gone"));
    await expect(silent).rejects.toMatchObject({ code: "client.closed" });
    await eventually("it was told", () => log.lines.some(({ fields }) => JSON.stringify(fields).includes("cancelled")));
    expect(await call(backend, "echo", context(), { words: "on" })).toBe("on");
  });

  test("tells its news to who listens", async () => {
    const backend = start();
    const told: string[] = [];
    const own = context({ notify: ({ method }) => void told.push(method) });
    const subscription = await backend.listen({ toolsListChanged: true }, own);
    expect(subscription.accepted).toEqual({ toolsListChanged: true });
    await call(backend, "changed", own);
    expect(told).toEqual(["notifications/tools/list_changed"]);
    subscription.close();
  });

  test("goes with everything that it has started when the server is let go, also when it does not want to", async () => {
    const backend = start();
    const pid = Number(await call(backend, "stubborn"));
    const child = Number(await call(backend, "child"));
    expect([isAlive(pid), isAlive(child)]).toEqual([true, true]);
    await backend.dispose();
    expect(isAlive(pid)).toBe(false);
    await eventually("its child has gone too", () => !isAlive(child));
    await expect(call(backend, "pid")).rejects.toMatchObject({ code: "upstream.unavailable" });
  });

  test("cannot be one that is not there", async () => {
    const backend = start({ command: "/nowhere/server" });
    await expect(call(backend, "pid")).rejects.toMatchObject({ code: "upstream.unreachable" });
  });

  test("does not outnumber what is allowed: the longest unused goes first", async () => {
    const backend = start({ maxProcesses: 1 });
    const ada = Number(await call(backend, "pid"));
    const bob = Number(await call(backend, "pid", context({ owner: "bob" })));
    expect(bob).not.toBe(ada);
    await eventually("the first has gone", () => !isAlive(ada), 5_000);
  });
});
