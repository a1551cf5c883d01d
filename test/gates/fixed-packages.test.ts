import { describe, expect, test } from "vitest";
import { projectFiles, readProjectFile } from "./project-files.ts";

const decision = projectFiles(/^docs\/adr\/0001-.*\.md$/);

/** One row of the table: `| package | successors | files that import it |`. */
interface FixedPackage {
  readonly name: string;
  /** The package and what takes its place. */
  readonly names: readonly string[];
  /** Empty for "not yet". */
  readonly files: readonly string[];
}

const expected = [
  "hono",
  "@modelcontextprotocol/sdk",
  "openai",
  "@xenova/transformers",
  "@stoplight/spectral-core",
  "ioredis",
  "@clickhouse/client",
  "jose",
];

const rows = tableOf(readProjectFile(decision[0] ?? "docs/adr/0001"));
const sources = projectFiles(/^(src|test)\/.*\.ts$/)
  .filter((file) => !file.startsWith("test/gates/"))
  .map((file) => ({ file, imports: importsOf(readProjectFile(file)) }));

describe("the packages that the project's card fixes", () => {
  test("stand in the table, each once", () => {
    expect(decision).toHaveLength(1);
    expect(rows.map((row) => row.name)).toEqual(expected);
  });

  test("are looked for in sources that do import things", () => {
    expect(sources.filter(({ imports }) => imports.includes("vitest")).length).toBeGreaterThan(0);
    expect(sources.filter(({ imports }) => imports.includes("zod")).length).toBeGreaterThan(0);
  });

  test.each(rows)("$name is imported where the table says, and the table says so once it is imported", (row) => {
    const importers = sources.filter(({ imports }) => imports.some((specifier) => belongsTo(specifier, row.names)));
    const inSource = importers.filter(({ file }) => file.startsWith("src/"));
    const found = importers.map(({ file }) => file);
    expect(row.files.filter((file) => !found.includes(file))).toEqual([]);
    if (row.files.length === 0) expect(found).toEqual([]);
    if (inSource.length > 0) expect(row.files.some((file) => file.startsWith("src/"))).toBe(true);
  });

  test("are dependencies of ours once they are imported", () => {
    const manifest = readProjectFile("package.json");
    const landed = rows.filter((row) => row.files.length > 0);
    expect(landed.filter((row) => !row.names.some((name) => manifest.includes(`"${name}":`)))).toEqual([]);
  });
});

function tableOf(markdown: string): readonly FixedPackage[] {
  return markdown
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => {
      const [first = [], second = [], third = []] = line
        .split("|")
        .slice(1, -1)
        .map((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ""));
      return { name: first[0] ?? "", names: [...first, ...second], files: third };
    });
}

// Statements stand at the margin; the same words inside a string (a line to paste) do not.
function importsOf(source: string): readonly string[] {
  const statements = source.matchAll(/^(?:import|export|\})(?:[^"'`;]*\bfrom)?\s*["']([^"'.][^"']*)["']/gm);
  const calls = source.matchAll(/\bimport\(\s*["']([^"'.][^"']*)["']/g);
  return [...statements, ...calls].map((match) => match[1] ?? "");
}

function belongsTo(specifier: string, names: readonly string[]): boolean {
  return names.some((name) => specifier === name || specifier.startsWith(`${name}/`));
}
