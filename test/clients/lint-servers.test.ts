import { mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CommandResult } from "../cli/test-shell.ts";
import { command } from "../cli/test-shell.ts";
import { startEverything } from "./child-server.ts";
import { clientFile, clientsAreInstalled } from "./install-clients.ts";

const guide = await readFile(join(import.meta.dirname, "../../docs/guides/lint.md"), "utf8");
const everything = clientFile("@modelcontextprotocol/server-everything/dist/index.js");
const filesystem = clientFile("@modelcontextprotocol/server-filesystem/dist/index.js");

interface Found {
  readonly rule: string;
  readonly severity: string;
  readonly about?: string;
  readonly message: string;
}

let cwd: string;

beforeAll(async () => {
  cwd = await realpath(await mkdtemp(join(tmpdir(), "gatehouse-lint-servers-")));
});

afterAll(() => rm(cwd, { recursive: true, force: true }));

const stdio = (script: string, ...args: readonly string[]) =>
  ["--stdio", [process.execPath, script, ...args].map((word) => `"${word}"`).join(" ")] as const;
// Patience for a busy machine: it is the time within which a server tells what it offers, and not how long that takes.
const lint = (...args: readonly string[]): Promise<CommandResult> =>
  command(["lint", ...args, "--timeout", "100"], { cwd });

/** What the guide shows of a run, finding by finding; what it leaves out is an ellipsis there. */
function shownInGuide(commandLine: string): readonly string[] {
  const block = guide.split("```").find((each) => each.includes(`$ ${commandLine}`)) ?? "";
  const findings = block.split(/\n(?= {2}\S)|\n(?=\d)/);
  return findings.filter((each) => /^ {2}(?:error|warn|info|hint) /.test(each));
}

describe.skipIf(!clientsAreInstalled())("what is found at servers of others", () => {
  test.each([
    {
      name: "server-everything, on its standard streams",
      target: stdio(everything),
      shown: 'gatehouse lint --stdio "npx -y @modelcontextprotocol/server-everything"',
    },
    {
      name: "server-filesystem, on its standard streams",
      target: stdio(filesystem, "."),
      shown: 'gatehouse lint --stdio "npx -y @modelcontextprotocol/server-filesystem ."',
    },
  ])("$name, is what the guide shows", async ({ target, shown }) => {
    const { code, out, notes } = await lint(...target);
    expect(notes).toBe("");
    const printed = out.join("\n");
    const findings = shownInGuide(shown);
    expect(findings.length).toBeGreaterThan(2);
    for (const finding of findings) expect(printed).toContain(finding);
    const summary = /\d+ documents?: .+/.exec(guide.slice(guide.indexOf(`$ ${shown}`)))?.[0];
    expect(out.at(-1)).toBe(summary);
    expect(code).toBe(Number(/(\d+) error/.exec(summary ?? "")?.[1] ?? 0) > 0 ? 1 : 0);
  });

  test("server-everything over HTTP is told the same of as on its standard streams", async () => {
    await using server = await startEverything();
    const over = await lint(`mcp+${server.url}`, "--format", "json");
    const beside = await lint(...stdio(everything), "--format", "json");
    const [overHttp, onStreams] = [findingsOf(over), findingsOf(beside)];
    expect(overHttp.length).toBeGreaterThan(10);
    expect(overHttp).toEqual(onStreams);
  });
});

function findingsOf({ out }: CommandResult): readonly string[] {
  const { documents } = JSON.parse(out.join("\n")) as {
    readonly documents: readonly { readonly findings: readonly Found[] }[];
  }; // as the JSON report has it
  return documents.flatMap(({ findings }) =>
    findings.map(({ rule, severity, about, message }) => `${severity} ${rule} ${about ?? ""} ${message}`),
  );
}
