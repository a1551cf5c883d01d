import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { runCommand } from "../../src/cli.ts";
import type { Clock } from "../../src/kernel/clock.ts";
import { describeWithEngine } from "../kit/embedded-clickhouse.ts";
import { eventually } from "../kit/eventually.ts";
import { manualClock } from "../kit/manual-clock.ts";
import { connectClient, eras } from "../quickstart/mcp-client.ts";
import type { TestShell } from "./test-shell.ts";
import { testShell } from "./test-shell.ts";

vi.setConfig({ testTimeout: 30_000 });

const root = new URL("../..", import.meta.url).pathname;
let data: string;

beforeEach(async () => {
  data = join(await mkdtemp(join(tmpdir(), "gatehouse-start-")), "data");
});

afterEach(() => rm(join(data, ".."), { recursive: true, force: true }));

interface Started extends AsyncDisposable {
  readonly shell: TestShell;
  readonly ended: Promise<number>;
}

async function start(env: Record<string, string> = {}, clock?: Clock): Promise<Started> {
  const shell = testShell({ cwd: root, env, ...(clock !== undefined && { clock }) });
  const ended = runCommand(["start", "--data", data, "--port", "0", "--control-port", "0"], shell);
  await shell.line(/^Ready /, ended);
  return {
    shell,
    ended,
    async [Symbol.asyncDispose]() {
      shell.stop("SIGTERM");
      await ended;
    },
  };
}

/** The printed commands: what stands under a line that begins with a hash, up to the next empty line. */
function commandsOf(lines: readonly string[]): readonly string[] {
  return lines
    .join("\n")
    .split("\n\n")
    .filter((block) => block.startsWith("# "))
    .map((block) => block.slice(block.indexOf("\n") + 1));
}

const pasted = async (block = "") => (await promisify(execFile)("bash", ["-euc", block], { cwd: root })).stdout;

describeWithEngine("the quickstart with ClickHouse", () => {
  test("the last printed command shows what the others have called", async () => {
    await using started = await start({ GATEHOUSE_ANALYTICS_MODE: "embedded" });
    const blocks = commandsOf(started.shell.lines);
    for (const words of ["x-gatehouse-explain", "get_weather", "austen"]) {
      expect(await pasted(blocks.findLast((block) => block.includes(words)))).not.toBe("");
    }
    const rows = () => pasted(blocks.at(-1));
    await eventually("the rows are there", async () => /workspace +tools\/call/.test(await rows()), 60_000);
    const shown = await rows();
    expect(shown).toMatch(/demo +chat +auto +ok +code/);
    expect(shown).toMatch(/demo +chat +demo-1 +ok/);
  }, 120_000);
});

describe("the quickstart's lines", () => {
  test("every printed command works as it stands", async () => {
    await using started = await start();
    const blocks = commandsOf(started.shell.lines);
    expect(blocks).toHaveLength(11);
    const outputs: string[] = [];
    for (const block of blocks) {
      outputs.push((await promisify(execFile)("bash", ["-euc", block], { cwd: root })).stdout);
    }
    expect(JSON.parse(outputs[0] ?? "")).toMatchObject({
      choices: [{ message: { content: expect.stringContaining("demonstration") } }],
    });
    expect(outputs[1]).toMatch(/^data: \{[^]*data: \[DONE\]\n\n$/);
    expect(outputs[2]).toContain("x-gatehouse-route: strategy=content;route=code;reason=matched");
    expect(outputs[3]).toContain("x-gatehouse-tools: 8;kept=3");
    expect(outputs[4]?.match(/demonstration/g)).toHaveLength(2);
    expect(JSON.parse(outputs[5] ?? "")).toMatchObject({
      result: { tools: expect.arrayContaining([expect.objectContaining({ name: "notes_add" })]) },
    });
    expect(JSON.parse(outputs[6] ?? "")).toMatchObject({
      result: { structuredContent: { title: "Hello" }, resultType: "complete" },
    });
    expect(await readdir(join(data, "workspace", "notes"))).toHaveLength(1);
    expect(outputs[7]).toContain("books_find_books");
    expect(outputs[8]).toContain("Jane Austen");
    expect(outputs[9]).toContain("demonstration"); // asked with a token in place of a key
    expect(outputs[10]).toMatch(
      /mcp-resources-security-required[^]*refused, as it should be\ncreated McpServer\/shelf/,
    );
    const again = await promisify(execFile)("bash", ["-euc", blocks[10] ?? ""], { cwd: root });
    expect(again.stdout).toMatch(/refused, as it should be\nunchanged McpServer\/shelf/);
  }, 120_000);

  test("what agents are configured with leads a client to the tools", async () => {
    await using started = await start();
    const { lines } = started.shell;
    const after = (label: RegExp, count: number): string[] => {
      const at = lines.findIndex((line) => label.test(line));
      expect(at).toBeGreaterThan(0);
      return lines.slice(at + 1, at + 1 + count);
    };
    const claude = JSON.parse(after(/\.mcp\.json.*\.cursor\/mcp\.json/, 1)[0] ?? "").mcpServers.notes;
    const code = JSON.parse(after(/\.vscode\/mcp\.json/, 1)[0] ?? "").servers.notes;
    const codex = after(/config\.toml/, 3);
    expect(code).toEqual(claude);
    expect(codex).toEqual([
      "[mcp_servers.notes]",
      `url = "${claude.url}"`,
      `http_headers = { Authorization = "${claude.headers.Authorization}" }`,
    ]);
    expect(claude.type).toBe("http");
    for (const { mode } of eras) {
      await using notes = await connectClient(claude.url, claude.headers, mode);
      expect((await notes.client.listTools()).tools.length).toBeGreaterThan(5);
    }
  });

  test("the addresses, the key and the token's file are told, the token itself is not", async () => {
    await using started = await start();
    const text = started.shell.lines.join("\n");
    const facts = JSON.parse(await readFile(join(data, "quickstart.json"), "utf8"));
    expect(text).toContain(`Control plane  ${facts.controlUrl}`);
    expect(text).toContain(`Gateway        ${facts.gatewayUrl}`);
    expect(text).toContain(join(data, "admin.token"));
    expect(text).toContain(facts.apis[0].apiKey);
    expect(facts.adminToken.length).toBeGreaterThan(30);
    expect(text + started.shell.noted.join()).not.toContain(facts.adminToken);
    const status = await fetch(`${facts.controlUrl}/api/v1/status`, {
      headers: { authorization: `Bearer ${facts.adminToken}` },
    });
    expect(status.status).toBe(200);
  });
});

describe("production", () => {
  test("has no quickstart: no demonstration, no printed key, no file", async () => {
    const env = {
      GATEHOUSE_ENV: "production",
      GATEHOUSE_ENCRYPTION_KEY: "ab".repeat(32),
      GATEHOUSE_ADMIN_TOKEN: "t".repeat(32),
      OPENAI_API_KEY: "sk-x",
    };
    await using started = await start(env);
    const text = started.shell.lines.join("\n");
    expect(text).not.toMatch(/gh_|demo|openai|sk-x|notes|mcp/i);
    for (const name of ["quickstart.json", "workspace"]) {
      await expect(stat(join(data, name))).rejects.toMatchObject({ code: "ENOENT" });
    }
    const url = / control plane (\S+?)\. /.exec(text)?.[1] ?? "";
    const headers = { authorization: `Bearer ${"t".repeat(32)}` };
    for (const path of ["llm-providers", "llm-apis", "mcp-servers", "api-keys", "secrets"]) {
      expect(await (await fetch(`${url}/api/v1/${path}`, { headers })).json()).toMatchObject({ items: [] });
    }
  });

  test("takes down what the quickstart had put up in the same directory, and says so", async () => {
    const first = await start();
    const facts = JSON.parse(await readFile(join(data, "quickstart.json"), "utf8"));
    first.shell.stop("SIGTERM");
    await first.ended;
    await using started = await start({ GATEHOUSE_ENV: "production" });
    const text = started.shell.lines.join("\n");
    expect(text).toMatch(/took down LlmApi\/demo(.*\n.*took down McpServer\/(books|notes|workspace)){3}/);
    expect(text.match(/revoked ApiKey/g)).toHaveLength(3);
    await expect(stat(join(data, "quickstart.json"))).rejects.toMatchObject({ code: "ENOENT" });
    const [, gatewayUrl = "", controlUrl = ""] = /gateway (\S+), control plane (\S+?)\. /.exec(text) ?? [];
    const paths: [string, number][] = [
      ["/demo/v1/models", 404],
      ["/notes/mcp", 404],
    ];
    for (const [path, status] of paths) {
      const headers = { authorization: `Bearer ${facts.apis[0].apiKey}` };
      expect((await fetch(`${gatewayUrl}${path}`, { headers })).status).toBe(status);
    }
    const headers = { authorization: `Bearer ${facts.adminToken}` };
    const keys = await (await fetch(`${controlUrl}/api/v1/api-keys`, { headers })).json();
    expect(keys).toMatchObject({ items: Array.from({ length: 3 }, () => ({ status: { state: "revoked" } })) });
  });

  test.each([
    { env: "production", open: false },
    { env: "development", open: true },
  ])("lets clients register themselves or bring a document in $env: $open", async ({ env, open }) => {
    const secrets = { GATEHOUSE_ENCRYPTION_KEY: "ab".repeat(32), GATEHOUSE_ADMIN_TOKEN: "t".repeat(32) };
    await using started = await start({ GATEHOUSE_ENV: env, ...secrets });
    const text = started.shell.lines.join("\n");
    const [, gatewayUrl = ""] = /gateway\s+(http:[^\s,]+)/i.exec(text) ?? [];
    const at = `${gatewayUrl}/auth/.well-known/openid-configuration`;
    const metadata = (await (await fetch(at)).json()) as Record<string, unknown>; // looked at below
    expect(metadata).toMatchObject({ issuer: expect.stringContaining("/auth") });
    expect("registration_endpoint" in metadata).toBe(open);
    expect(metadata["client_id_metadata_document_supported"] === true).toBe(open);
  });

  test.each([
    { name: "an encryption key", env: { GATEHOUSE_ADMIN_TOKEN: "t".repeat(32) }, says: "GATEHOUSE_ENCRYPTION_KEY" },
    { name: "an admin token", env: { GATEHOUSE_ENCRYPTION_KEY: "ab".repeat(32) }, says: "GATEHOUSE_ADMIN_TOKEN" },
  ])("does not start without $name, and says how to make one", async ({ env, says }) => {
    const shell = testShell({ cwd: root, env: { ...env, GATEHOUSE_ENV: "production" } });
    expect(await runCommand(["start", "--data", data, "--port", "0", "--control-port", "0"], shell)).toBe(2);
    expect(shell.noted.join()).toMatch(new RegExp(`${says}.*openssl rand -hex 32`));
  });
});

describe("stopping", () => {
  test("a signal drains and ends well, and the data directory is free again", async () => {
    const first = await start();
    first.shell.stop("SIGINT");
    expect(await first.ended).toBe(0);
    expect(first.shell.noted.join("\n")).toMatch(/draining[^]*Stopped/);
    expect(first.shell.exits).toEqual([]);
    await using second = await start();
    expect(second.shell.noted).toEqual([]);
  });

  test.each([
    { signal: "SIGINT", code: 130 },
    { signal: "SIGTERM", code: 143 },
  ] as const)("a second $signal ends the process at once with $code", async ({ signal, code }) => {
    const clock = manualClock();
    const { shell, ended } = await start({}, clock);
    shell.stop(signal);
    clock.advance(501);
    shell.stop(signal);
    expect(shell.exits).toEqual([code]);
    await ended;
  });

  test("one Ctrl-C that arrives twice, from the terminal and from npm, still drains", async () => {
    const { shell, ended } = await start({}, manualClock());
    shell.stop("SIGINT");
    shell.stop("SIGINT");
    expect(await ended).toBe(0);
    expect(shell.exits).toEqual([]);
  });
});

describe("what stands in the way", () => {
  test("a port in use is named, with the flag that takes another", async () => {
    const squatter = createServer().listen(0, "127.0.0.1");
    await once(squatter, "listening");
    const { port } = Object(squatter.address());
    const shell = testShell({ cwd: root });
    expect(await runCommand(["start", "--data", data, "--port", "0", "--control-port", String(port)], shell)).toBe(2);
    expect(shell.noted.join()).toMatch(new RegExp(`${port}.*in use.*--control-port`));
    squatter.close();
  });

  test("a data directory that another process holds is named with its holder", async () => {
    await using _first = await start();
    const shell = testShell({ cwd: root });
    expect(await runCommand(["start", "--data", data, "--port", "0", "--control-port", "0"], shell)).toBe(1);
    expect(shell.noted.join()).toMatch(new RegExp(`held by process ${process.pid}.*--data`));
  });
});
