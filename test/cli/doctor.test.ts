import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { analyticsFindings } from "../../src/cli/analytics-findings.ts";
import { listPlugins } from "../../src/cli/plugins.ts";
import { readConfig } from "../../src/config.ts";
import { eventually } from "../kit/eventually.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { CommandResult } from "./test-shell.ts";
import { command, testShell } from "./test-shell.ts";

let cwd: string;

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "gatehouse-doctor-"));
});

afterEach(() => rm(cwd, { recursive: true, force: true }));

const anyPorts = ["--port", "0", "--control-port", "0"];
const doctor = (args: readonly string[] = anyPorts, env: Record<string, string> = {}): Promise<CommandResult> =>
  command(["doctor", ...args], { cwd, env });

describe("doctor", () => {
  test("before the first start nothing is wrong, and nothing is made", async () => {
    const { code, out } = await doctor();
    expect(code).toBe(0);
    expect(out.join("\n")).toMatch(/hint +no data directory at .*the first start makes it/);
    expect(out.join("\n")).toContain("not running");
  });

  test("of a running gateway it tells the process, and that both planes are ready", async () => {
    await using gatehouse = await startTestGatehouse();
    const { code, out } = await doctor(["--data", gatehouse.dataDir]);
    const text = out.join("\n");
    expect(code).toBe(0);
    expect(text).toContain(`process ${process.pid}`);
    expect(text).toContain(`gateway ready at ${gatehouse.running.gatewayUrl}`);
    expect(text).toContain(`control plane ready at ${gatehouse.running.controlUrl}`);
    expect(text).not.toContain(gatehouse.running.adminToken);
  });

  test("the effective configuration is shown with its sources and without its secrets", async () => {
    const { out } = await doctor(anyPorts, { GATEHOUSE_ADMIN_TOKEN: "canary-4711", GATEHOUSE_LOG_LEVEL: "warn" });
    expect(out).toContainEqual(expect.stringMatching(/^port +0 +flag$/));
    expect(out).toContainEqual(expect.stringMatching(/^logLevel +"warn" +GATEHOUSE_LOG_LEVEL$/));
    expect(out.join()).not.toContain("canary");
  });

  test("a port in use is a fault, with the flag that takes another", async () => {
    const squatter = createServer().listen(0, "127.0.0.1");
    await once(squatter, "listening");
    const { port } = Object(squatter.address());
    const { code, out } = await doctor(["--port", String(port), "--control-port", "0"]);
    expect(code).toBe(2);
    expect(out).toContainEqual(expect.stringMatching(new RegExp(`^fault +gateway: 127.0.0.1:${port} .*--port`)));
    squatter.close();
  });

  test("production without its credentials is a fault, with the commands that make them", async () => {
    const { code, out } = await doctor(anyPorts, { GATEHOUSE_ENV: "production" });
    expect(code).toBe(2);
    expect(out.filter((line) => /^fault .*openssl rand -hex 32/.test(line))).toHaveLength(2);
  });

  test("a key file that others can read is a fault, with the command that mends it", async () => {
    const gatehouse = await startTestGatehouse();
    await chmod(gatehouse.running.dataDirectory.encryptionKeyPath, 0o644);
    const { code, out } = await doctor(["--data", gatehouse.dataDir]);
    await gatehouse[Symbol.asyncDispose]();
    expect(code).toBe(2);
    expect(out).toContainEqual(expect.stringMatching(/^fault .*chmod 600/));
  });

  test("listening beyond this machine without TLS is pointed out", async () => {
    const { out } = await doctor(anyPorts, { GATEHOUSE_HOST: "0.0.0.0" });
    expect(out).toContainEqual(expect.stringMatching(/^hint .*without TLS/));
  });
});

describe("the rest of the command line", () => {
  const run = (...args: string[]): Promise<CommandResult> => command(args, { cwd });

  test("all plug-ins are listed with their summaries", async () => {
    const { out } = await run("plugins");
    expect(listPlugins().length).toBeGreaterThan(5);
    expect(out).toHaveLength(listPlugins().length + 1);
    for (const { id, summary } of listPlugins())
      expect(out.some((line) => line.includes(` ${id} `) && line.endsWith(summary))).toBe(true);
    expect(JSON.parse((await run("plugins", "--json")).out.join("\n"))).toEqual(listPlugins());
  });

  test("help ends well, and wrong usage ends with 2 and a hint", async () => {
    expect(await run("--help")).toMatchObject({
      code: 0,
      out: expect.arrayContaining([expect.stringContaining("Exit codes")]),
    });
    expect(await run("aply")).toMatchObject({ code: 2, notes: expect.stringContaining("apply") });
    expect(await run("doctor", "--prot", "1")).toMatchObject({ code: 2, notes: expect.stringContaining("--port") });
  });

  test("a bad configuration ends with 2, one line, and no stack unless asked", async () => {
    const bad = { cwd, env: { GATEHOUSE_PROT: "1" } };
    const short = await command(["doctor"], bad);
    expect(short).toMatchObject({ code: 2, notes: expect.stringContaining("GATEHOUSE_PORT") });
    expect(short.notes.split("\n")).toHaveLength(1);
    expect((await command(["doctor", "--verbose"], bad)).notes).toMatch(/\n +at /);
  });

  test("the reference page is printed whole", async () => {
    expect((await run("config", "reference")).out[0]).toBe("# Configuration");
  });
});

describe("analytics of a stopped installation", () => {
  const findingOf = async (env: Record<string, string>, missing: readonly string[]) => {
    const findPackage = (name: string): string => {
      if (missing.includes(name)) throw new Error(`Cannot find module '${name}'`);
      return name;
    };
    const loaded = readConfig({ env, cwd });
    return analyticsFindings({}, loaded, testShell({ cwd, env }), findPackage);
  };

  test("the embedded ClickHouse is fine when its package is there, and a hint says what to do when it is not", async () => {
    expect(await findingOf({}, [])).toEqual([{ state: "ok", what: "analytics: embedded ClickHouse" }]);
    const engine = `@chdb/lib-${process.platform}-${process.arch}${process.platform === "linux" ? "-gnu" : ""}`;
    for (const missing of ["chdb", `${engine}/package.json`]) {
      expect(await findingOf({}, [missing])).toEqual([
        { state: "hint", what: expect.stringMatching(/optional package chdb.*npm install.*CLICKHOUSE_URL/) },
      ]);
    }
  });

  test("a server of its own needs no package", async () => {
    const env = { CLICKHOUSE_URL: "http://127.0.0.1:8123" };
    expect(await findingOf(env, ["chdb"])).toEqual([{ state: "ok", what: expect.stringContaining("127.0.0.1:8123") }]);
  });
});

test("of an upstream that fails doctor says what failed and when", async () => {
  await using gatehouse = await startTestGatehouse();
  const upstream = {
    production: { url: "http://127.0.0.1:9/mcp", breaker: { failures: 1 } },
    sandbox: { sameAs: "production" },
  };
  await gatehouse.put("McpServer", "gone", { context: "/gone", upstream });
  const key = await gatehouse.key("gone", { api: { kind: "McpServer", name: "gone" } });
  await eventually(
    "the failure is told",
    async () => {
      await fetch(`${gatehouse.running.gatewayUrl}/gone/mcp`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" }),
      });
      const { out } = await doctor(["--data", gatehouse.dataDir]);
      return /hint +upstream gone of McpServer\/gone \(production\): breaker .*upstream\.unreachable/.test(
        out.join("\n"),
      );
    },
    10_000,
  );
});
