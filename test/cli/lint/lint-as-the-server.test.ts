import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";
import { loadConfig } from "../../../src/config.ts";
import { applyDocuments } from "../../../src/core/apply.ts";
import { governedKinds } from "../../../src/core/governed-kinds.ts";
import { fieldPath } from "../../../src/core/parse-document.ts";
import { putSecret } from "../../../src/core/secrets.ts";
import { loadYaml } from "../../../src/kernel/load-yaml.ts";
import { parseJson } from "../../../src/kernel/parse-json.ts";
import type { Quickstart } from "../../../src/quickstart/quickstart.ts";
import { startQuickstart } from "../../../src/quickstart/quickstart.ts";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse, testActor } from "../../kit/gatehouse.ts";
import { command } from "../test-shell.ts";

// The promise: what a build is told of a file is what the product says of the resource once it is there.

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const root = join(import.meta.dirname, "../../..");
const openapi = {
  openapi: "3.0.3",
  info: { title: "Quays", version: "1" },
  paths: { "/quays/": { get: { responses: {} } } },
};
const sandbox = { sameAs: "production" };
const mine = [
  {
    kind: "LlmProvider",
    metadata: { name: "inline" },
    spec: { use: "openai", with: { apiKey: "sk-of-somebody" } },
  },
  {
    kind: "McpServer",
    metadata: { name: "two-ways", labels: { tier: "gold" } },
    spec: {
      context: "/two-ways",
      security: { oauth: { scopes: ["ships"] } },
      upstream: {
        production: { url: "https://ships.example.com/mcp" },
        sandbox: { url: "https://ships.example.com/sse", transport: "http+sse" },
      },
    },
  },
  {
    kind: "RestApi",
    metadata: { name: "quays" },
    spec: {
      context: "/quays",
      definition: openapi,
      upstream: { production: { url: "https://quays.example.com" }, sandbox },
    },
  },
  { kind: "Application", metadata: { name: "keyless" }, spec: {} },
].map((each) => ({ apiVersion: "gatehouse/v1", ...each }));

/** Looks at what the product derives, and tells every value. */
const derived = {
  apiVersion: "gatehouse/v1",
  kind: "Ruleset",
  metadata: { name: "derived" },
  spec: {
    artifacts: ["LlmApi", "McpServer", "Application"],
    ruleset: {
      rules: {
        told: {
          message: "{{value}}",
          severity: "warn",
          given: ["$.routes[*][*]", "$.transports[*]", "$.scopes[*]"],
          // biome-ignore lint/suspicious/noThenProperty: it is Spectral's word
          then: { function: "falsy" },
        },
        "is-there": {
          severity: "warn",
          given: "$",
          // biome-ignore lint/suspicious/noThenProperty: it is Spectral's word
          then: ["tools", "pins", "keys", "routes"].map((field) => ({ field, function: "undefined" })),
        },
      },
    },
  },
};

let gatehouse: TestGatehouse;
let quickstart: Quickstart;
let cwd: string;

beforeAll(async () => {
  gatehouse = await startTestGatehouse();
  const config = loadConfig({ flags: { dataDir: gatehouse.dataDir }, env: {}, cwd: gatehouse.dataDir });
  quickstart = await startQuickstart({ ...gatehouse.running, config, progress: () => {} });
  for (const name of ["house-key", "openai-account", "tickets-token"])
    await putSecret(gatehouse.running.context, testActor, { name, value: "sk-example", team: "default" });
  cwd = await mkdtemp(join(tmpdir(), "gatehouse-lint-as-"));
  await writeFile(join(cwd, "mine.yaml"), mine.map((each) => `---\n${loadYaml().stringify(each)}`).join(""));
  await writeFile(join(cwd, "derived.yaml"), loadYaml().stringify(derived));
  // Not by the command, which has a time limit: it is much at once for a busy machine.
  const names = readdirSync(join(root, "examples")).filter((name) => name.endsWith(".yaml"));
  const texts = names.map((name) => readFileSync(join(root, "examples", name), "utf8"));
  const values = texts.flatMap(
    (text) =>
      loadYaml()
        .parseAllDocuments(text)
        .map((each) => each.toJS() as unknown), // checked when it is applied
  );
  const sources = [...values, ...mine].map((value, at) => ({ source: "all", line: at + 1, value }));
  await applyDocuments(gatehouse.running.context, testActor, sources, { dryRun: false, draft: false });
});
afterAll(async () => {
  await quickstart[Symbol.asyncDispose]();
  await gatehouse[Symbol.asyncDispose]();
  await rm(cwd, { recursive: true, force: true });
});

const lintReport = z.looseObject({
  documents: z.array(
    z.looseObject({
      title: z.string(),
      rulesets: z.array(z.string()),
      findings: z.array(
        z.looseObject({
          rule: z.string(),
          severity: z.string(),
          message: z.string(),
          path: z.array(z.union([z.string(), z.number()])),
        }),
      ),
    }),
  ),
});

/** A line for each finding, by resource, and what it was held against. */
type Told = Readonly<Record<string, { readonly rulesets: readonly string[]; readonly findings: readonly string[] }>>;

// The product tells a place in a description from the description's top, a file's linter from the file's.
function line({ rule, severity, path, message }: Readonly<Record<"rule" | "severity" | "path" | "message", string>>) {
  return `${rule} ${severity} ${path.replace(/^spec\.definition\.?/, "")}: ${message}`;
}

async function ofFiles(...more: readonly string[]): Promise<Told> {
  const targets = [join(root, "examples"), join(cwd, "mine.yaml")];
  const { out } = await command(["lint", ...targets, "--format", "json", ...more], { cwd });
  const { documents } = lintReport.parse(parseJson(out.join("\n")));
  const governed = documents.filter(({ title }) => governedKinds.some((kind) => title.startsWith(`${kind} `)));
  return Object.fromEntries(
    governed.map(({ title, rulesets, findings }) => {
      const lines = findings.map(({ path, ...each }) => line({ ...each, path: fieldPath(path) }));
      return [title.replace(" ", "/"), { rulesets, findings: lines.toSorted() }];
    }),
  );
}

/** The same of the resources in the product, each held against the same. */
async function ofServer(files: Told, nameOf = (ruleset: string): string => ruleset): Promise<Told> {
  const { context } = gatehouse.running;
  const told: [string, Told[string]][] = [];
  for (const [resource, { rulesets }] of Object.entries(files)) {
    const [kind = "", name = ""] = resource.split("/");
    const found = await context.catalog.read.resources.find(kind, name);
    if (found === undefined) throw new Error(`${resource} is not there`);
    const policy = { rulesets: rulesets.map(nameOf), targets: ["global"] };
    const pending = [
      { kind: "Ruleset", name: "derived", spec: derived.spec },
      ...(rulesets.length > 0 ? [{ kind: "GovernancePolicy", name: "all", spec: policy }] : []),
    ];
    const [verdict] = (await context.governance?.tryOut([found], pending)) ?? [];
    const own = verdict?.policies.filter((each) => each.policy === "all").flatMap((each) => each.rulesets) ?? [];
    const findings = own.flatMap((each) => each.findings.map(line)).toSorted();
    told.push([resource, { rulesets, findings }]);
  }
  return Object.fromEntries(told);
}

test("a file is told what the product tells of its resources by the usual rulesets", async () => {
  const files = await ofFiles();
  expect(files).toEqual(await ofServer(files));
  expect(Object.keys(files).length).toBeGreaterThan(15);
  expect(files["RestApi/quays"]?.rulesets).toEqual(["gatehouse:api-management", "spectral:oas", "gatehouse:rest"]);
  expect(files["RestApi/quays"]?.findings.length).toBeGreaterThan(3);
});

test("what the product derives of a resource is seen in a file, and a ruleset looks at its own kinds only", async () => {
  const files = await ofFiles("--ruleset", "derived.yaml");
  expect(files).toEqual(await ofServer(files, () => "derived"));
  expect(files["McpServer/two-ways"]?.findings).toEqual([
    expect.stringContaining("is-there warn pins"),
    expect.stringContaining("is-there warn tools"),
    "told warn scopes.0: ships",
    "told warn transports.0: streamable-http",
    "told warn transports.1: http+sse",
  ]);
  expect(files["RestApi/quays"]).toEqual({ rulesets: [], findings: [] });
});
