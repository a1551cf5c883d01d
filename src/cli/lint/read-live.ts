import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { inheritedVariables } from "../../config.ts";
import type { McpInspection } from "../../core/mcp-inspection.ts";
import { mcpInspectionInputSchema } from "../../core/mcp-inspection.ts";
import { stdioCommandSchema } from "../../core/mcp-stdio.ts";
import { parseDocument } from "../../core/parse-document.ts";
import { apiVersion } from "../../core/resource.ts";
import { createStdioUpstream } from "../../gateway/mcp/channel/stdio-upstream.ts";
import { createMcpInspector, inspect } from "../../gateway/mcp/inspect-server.ts";
import { ownContext } from "../../gateway/mcp/read-lists.ts";
import { createUpstreamClient } from "../../gateway/upstream.ts";
import { Cancellation } from "../../kernel/cancellation.ts";
import { GatewayError } from "../../kernel/errors.ts";
import { createGuardedLookup } from "../../kernel/network-policy.ts";
import { createSafeFetch } from "../../kernel/safe-fetch.ts";
import { networkPolicyOf } from "../../network-reach.ts";
import { commandConfig } from "../common-options.ts";
import type { Shell } from "../shell.ts";
import { serverRulesets } from "./default-rules.ts";
import type { LintOptions } from "./lint.ts";
import type { LintFinding } from "./lint-result.ts";
import type { LintSubject } from "./lint-subject.ts";
import { mostDocumentBytes } from "./read-text.ts";
import { splitCommand } from "./split-command.ts";

/** Gets a document of an address. Throws `upstream.…`; any status but one of success is a fault. */
export async function fetchDocument(url: string, options: LintOptions, shell: Shell): Promise<Uint8Array> {
  const { config } = commandConfig(options, shell);
  await using safeFetch = createSafeFetch({ policy: networkPolicyOf(config) });
  const authorization = await authorizationOf(options, shell);
  const answer = await safeFetch(url, {
    chosenBy: "operator",
    maxBytes: mostDocumentBytes,
    maxRedirects: 5,
    timeoutMs: options.timeout * 1_000,
    headers: { accept: "application/yaml, application/json, */*;q=0.5", ...(authorization && { authorization }) },
  });
  if (answer.status >= 200 && answer.status < 300) return answer.body;
  throw new GatewayError("upstream.invalid", `The server answered with ${answer.status}.`);
}

/** What the MCP server at `mcp+https://…` or `mcp+http://…` offers. */
export async function readMcpUrl(target: string, options: LintOptions, shell: Shell): Promise<LintSubject> {
  const authorization = await authorizationOf(options, shell);
  const asked = { url: target.replace(/^mcp\+/i, ""), era: options.era, authorization };
  const input = parseDocument(mcpInspectionInputSchema, asked);
  const { config } = commandConfig(options, shell);
  const network = networkPolicyOf(config);
  const upstream = createUpstreamClient({
    lookup: createGuardedLookup(network, "operator"),
    assertHost: (host) => network.assertHost(host, "operator"),
    clock: shell.clock,
  });
  try {
    const found = createMcpInspector({ upstream, clock: shell.clock })(input);
    return subjectOf(target, await found, options);
  } finally {
    await upstream[Symbol.asyncDispose]();
  }
}

/** What an MCP server on its standard streams offers. It is started without a shell, and ended. */
export async function readMcpCommand(line: string, options: LintOptions, shell: Shell): Promise<LintSubject> {
  const [command = "", ...args] = splitCommand(line);
  const inherited = inheritedVariables(["PATH", "HOME", "USER", "LOGNAME", "LANG", "TMPDIR"]);
  const env = { ...inherited, ...variablesOf(options.env ?? []) };
  const allowed = parseDocument(stdioCommandSchema, { command, args, env, cwd: shell.cwd });
  const said: string[] = [];
  const hear = (fields: object): void => {
    if ("line" in fields) said.push(String(fields.line));
  };
  const limitMs = options.timeout * 1_000;
  const server = createStdioUpstream({
    allowed,
    secrets: { read: () => Promise.reject(new GatewayError("resource.not_found", "There is no vault here.")) },
    clock: shell.clock,
    log: { debug: hear, info: hear, warn: hear, error: hear },
    server: "lint",
    timeouts: { connectMs: limitMs, firstByteMs: limitMs, idleMs: limitMs },
    maxBytes: mostDocumentBytes,
  });
  const cancellation = new Cancellation();
  const stop = shell.clock.after(limitMs, () =>
    cancellation.cancel(
      new GatewayError("upstream.timeout", `The MCP server has not answered in ${options.timeout} s.`),
    ),
  );
  try {
    return subjectOf(`stdio: ${line}`, await inspect("", server, ownContext("lint", cancellation)), options);
  } catch (error) {
    const last = said.at(-1);
    if (!(error instanceof GatewayError) || last === undefined) throw error;
    throw new GatewayError(error.code, `${error.message} Its last words: ${last}`, { cause: error });
  } finally {
    stop();
    await server.dispose();
  }
}

type Offer = Omit<McpInspection, "transport" | "url">;

/** As a resource without a spec: what is said of registered servers only is not asked of one that is none. */
function subjectOf(source: string, offer: Offer, { ruleset }: LintOptions): LintSubject {
  const [fault] = offer.faults;
  if (fault !== undefined) throw new GatewayError("upstream.invalid", `${fault.list} was not given: ${fault.message}`);
  if (ruleset === undefined && serverRulesets.length === 0) {
    throw new GatewayError("request.invalid", "no ruleset for MCP servers is built in; choose one with --ruleset");
  }
  const { tools, prompts, resources, resourceTemplates, instructions, serverInfo } = offer;
  const name = typeof serverInfo["name"] === "string" ? serverInfo["name"] : "";
  const lists = { tools, prompts, resources, resourceTemplates };
  const form = { apiVersion, kind: "McpServer", ...lists, ...(instructions !== null && { instructions }) };
  return {
    source,
    isFile: false,
    title: `MCP server ${name}, ${tools.length} tools`,
    parts: [
      {
        kind: "McpServer",
        of: "metadata",
        rulesets: serverRulesets,
        text: JSON.stringify(form, undefined, 2),
        place: (finding) => ({ ...finding, range: undefined, about: aboutOf(finding.path, lists) }),
      },
    ],
    findings: [],
  };
}

const kinds = { tools: "tool", prompts: "prompt", resources: "resource", resourceTemplates: "template" } as const;

function aboutOf([list, index]: LintFinding["path"], lists: Pick<Offer, keyof typeof kinds>): string | undefined {
  if (list !== "tools" && list !== "prompts" && list !== "resources" && list !== "resourceTemplates") return undefined;
  const name = lists[list][Number(index)]?.["name"];
  return typeof name === "string" ? `${kinds[list]} ${name}` : undefined;
}

async function authorizationOf({ authorizationFile }: LintOptions, shell: Shell): Promise<string | undefined> {
  if (authorizationFile === undefined) return undefined;
  try {
    return (await readFile(resolve(shell.cwd, authorizationFile), "utf8")).trim();
  } catch (cause) {
    throw new GatewayError("request.invalid", `The file ${authorizationFile} cannot be read.`, { cause });
  }
}

function variablesOf(lines: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf("=");
      if (at < 1) throw new GatewayError("request.invalid", `--env takes NAME=value, not ${line.slice(0, 40)}.`);
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}
