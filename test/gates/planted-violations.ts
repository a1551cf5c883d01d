/** A file with one fault, and the rule that must name it. `rule: undefined` is a file that must pass. */
export interface Plant {
  readonly name: string;
  readonly file: string;
  readonly source: string;
  readonly rule: string | undefined;
}

const layers = "gatehouse/layers";
const drivers = "gatehouse/drivers";
const outbound = "gatehouse/outbound";
const environment = "gatehouse/environment";
const time = "gatehouse/time";
const patterns = "gatehouse/linear-patterns";
const plainJson = "gatehouse/plain-json";

/** What the plants import. */
export const soil: readonly Pick<Plant, "file" | "source">[] = ["kernel", "core", "pipeline", "embedding"]
  .concat(["identity", "policies", "guardrails", "routing", "mcp", "governance", "analytics"])
  .concat(["gateway", "control", "store", "quickstart", "cli"])
  .map((folder) => `${folder}/thing.ts`)
  .concat(["config.ts", "main.ts"])
  .map((path) => ({
    file: `src/${path}`,
    source: "export interface Thing { readonly id: string }\nexport const thing = 1;\n",
  }));

export const plants: readonly Plant[] = [
  faulty("a kernel file that imports the core", "kernel/a.ts", use("../core/thing.ts"), layers),
  faulty("a core file that imports the pipeline", "core/a.ts", use("../pipeline/thing.ts"), layers),
  faulty("a core file that imports the embedding", "core/b.ts", use("../embedding/thing.ts"), layers),
  faulty("a pipeline file that imports a policy", "pipeline/a.ts", use("../policies/thing.ts"), layers),
  faulty("a policy that imports a guardrail", "policies/a.ts", use("../guardrails/thing.ts"), layers),
  faulty("a nested file that leaves its folder sideways", "routing/providers/a.ts", use("../../mcp/thing.ts"), layers),
  faulty("a guardrail that imports the gateway", "guardrails/a.ts", use("../gateway/thing.ts"), layers),
  faulty("a gateway file that imports the store", "gateway/a.ts", use("../store/thing.ts"), layers),
  faulty("a control file that imports the gateway", "control/a.ts", use("../gateway/thing.ts"), layers),
  faulty("a store file that imports the control plane", "store/a.ts", use("../control/thing.ts"), layers),
  faulty("a gateway file that imports the configuration", "gateway/b.ts", use("../config.ts"), layers),
  faulty("a detour through src", "kernel/b.ts", use("../../src/core/thing.ts"), layers),
  faulty(
    "a type-only import across layers",
    "policies/b.ts",
    'import type { Thing } from "../gateway/thing.ts";\nexport type Own = Thing;\n',
    layers,
  ),
  faulty(
    "a dynamic import across layers",
    "policies/c.ts",
    'export const own = () => import("../control/thing.ts");\n',
    layers,
  ),
  faulty("a re-export across layers", "policies/d.ts", 'export { thing } from "../mcp/thing.ts";\n', layers),
  faulty("a re-export of everything across layers", "policies/e.ts", 'export * from "../mcp/thing.ts";\n', layers),
  faulty(
    "an inline type import across layers",
    "policies/f.ts",
    'export type Own = import("../mcp/thing.ts").Thing;\n',
    layers,
  ),
  faulty("an import from outside of src", "policies/g.ts", 'export { x } from "../../test/x.ts";\n', layers),
  faulty("a folder that stands in no layer", "elsewhere/a.ts", use("../kernel/thing.ts"), layers),
  passing("a pipeline file that imports the core", "pipeline/b.ts", use("../core/thing.ts")),
  passing("a gateway file that imports layers below", "gateway/c.ts", use("../policies/thing.ts")),
  passing("the composition root, which imports everything", "compose.ts", use("./store/thing.ts")),

  faulty("the control plane with a driver", "control/b.ts", driver("node:sqlite", "DatabaseSync"), drivers),
  faulty("the core with a query builder", "core/c.ts", driver("kysely", "sql"), drivers),
  passing("the store with its driver", "store/b.ts", driver("node:sqlite", "DatabaseSync")),

  faulty("the global fetch", "policies/h.ts", 'export const get = () => fetch("https://example.com");\n', outbound),
  faulty(
    "fetch by way of globalThis",
    "mcp/a.ts",
    'export const get = () => globalThis.fetch("https://example.com");\n',
    outbound,
  ),
  faulty("undici outside of its two files", "routing/a.ts", driver("undici", "request"), outbound),
  faulty("undici loaded at run time", "routing/b.ts", 'export const own = () => import("undici");\n', outbound),
  faulty("Node's HTTP client", "control/c.ts", driver("node:https", "request"), outbound),
  faulty("a raw socket", "gateway/d.ts", driver("node:net", "connect"), outbound),
  faulty("a socket of the web", "control/j.ts", 'export const own = () => new WebSocket("ws://x");\n', outbound),
  passing("a fetch that was handed in", "control/k.ts", "export const own = (fetch: () => void) => fetch();\n"),
  passing("the errors of undici", "gateway/fault.ts", driver("undici", "errors")),
  passing("an HTTP server", "control/d.ts", driver("node:http", "createServer")),
  passing("the types of HTTP", "gateway/e.ts", 'import type { Agent } from "node:http";\nexport type Own = Agent;\n'),
  passing("the upstream client", "gateway/upstream.ts", driver("undici", "request")),

  faulty("an environment variable", "control/e.ts", 'export const home = process.env["HOME"];\n', environment),
  faulty("the environment taken apart", "control/f.ts", "export const { env } = process;\n", environment),
  faulty("the environment by import", "control/g.ts", 'export { env } from "node:process";\n', environment),
  faulty("the wall clock", "policies/i.ts", "export const now = () => Date.now();\n", time),
  faulty("the wall clock without a name", "policies/j.ts", "export const now = () => new Date();\n", time),
  faulty("the monotonic clock", "policies/k.ts", "export const now = () => performance.now();\n", time),
  faulty("the clock passed as a value", "policies/l.ts", "export const clock = { now: Date.now };\n", time),
  passing(
    "a date made from a value",
    "policies/m.ts",
    "export const iso = (ms: number) => new Date(ms).toISOString();\n",
  ),
  faulty(
    "a pattern from a variable",
    "guardrails/b.ts",
    "export const own = (p: string) => new RegExp(p);\n",
    patterns,
  ),
  faulty(
    "a pattern from a template",
    "guardrails/c.ts",
    "export const own = (p: string) => RegExp(`^${p}`);\n",
    patterns,
  ),
  passing("a pattern written out", "guardrails/d.ts", 'export const own = new RegExp("^a");\n'),

  faulty("JSON read by the engine", "gateway/j.ts", "export const own: unknown = JSON.parse('{}');\n", plainJson),

  faulty("a default export", "core/d.ts", "export default 1;\n", "import/no-default-export"),
  faulty("any", "core/e.ts", "export const own = (x: any): unknown => x;\n", "typescript/no-explicit-any"),
  faulty(
    "a non-null assertion",
    "core/f.ts",
    "export const own = (x: string | undefined) => x!.length;\n",
    "typescript/no-non-null-assertion",
  ),
  faulty(
    "a promise that nobody waits for",
    "core/g.ts",
    "export function own(): void {\n  Promise.resolve(1);\n}\n",
    "typescript/no-floating-promises",
  ),
  faulty(
    "a cycle",
    "core/cycle-a.ts",
    'import { b } from "./cycle-b.ts";\nexport const a = () => b;\n',
    "import/no-cycle",
  ),
  {
    name: "the other half of a cycle",
    file: "src/core/cycle-b.ts",
    source: 'import { a } from "./cycle-a.ts";\nexport const b = () => a;\n',
    rule: "import/no-cycle",
  },
  faulty(
    "a thrown string",
    "core/h.ts",
    'export function own(): never {\n  throw "no";\n}\n',
    "typescript/only-throw-error",
  ),
  faulty("a line on the console", "core/i.ts", 'export const own = () => console.log("x");\n', "eslint/no-console"),
  faulty("eighty-one lines in one function", "core/j.ts", functionOf(81), "eslint/max-lines-per-function"),
  faulty("five hundred and one lines in one file", "core/k.ts", fileOf(501), "eslint/max-lines"),
  {
    name: "a test that runs alone",
    file: "test/core/a.test.ts",
    source: `import { expect, test } from "vitest";\ntest${".only"}("holds", () => expect(1).toBe(1));\n`,
    rule: "vitest/no-focused-tests",
  },
];

function faulty(name: string, path: string, source: string, rule: string): Plant {
  return { name, file: `src/${path}`, source, rule };
}

function passing(name: string, path: string, source: string): Plant {
  return { name, file: `src/${path}`, source, rule: undefined };
}

function use(specifier: string): string {
  return `import { thing } from "${specifier}";\nexport const own = thing;\n`;
}

function driver(specifier: string, name: string): string {
  return `import { ${name} } from "${specifier}";\nexport const own = ${name};\n`;
}

function functionOf(lines: number): string {
  const body = Array.from({ length: lines - 2 }, (_, index) => `  void ${index};`);
  return ["export function own(): void {", ...body, "}", ""].join("\n");
}

function fileOf(lines: number): string {
  return Array.from({ length: lines }, (_, index) => `export const own${index} = ${index};\n`).join("");
}
