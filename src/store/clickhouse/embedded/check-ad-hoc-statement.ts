import type { ChdbEngine } from "./chdb-engine.ts";

/**
 * Why somebody's own statement must not run, or undefined. `readonly` keeps tables from being written, but neither
 * `file()` nor `INTO OUTFILE` asks it; so the engine's own parser says what the statement is made of. It may read the
 * analytics tables and call functions that reach nothing outside.
 */
export async function checkAdHocStatement(engine: ChdbEngine, statement: string): Promise<string | undefined> {
  // The engine runs what follows a semicolon, after EXPLAIN too.
  if (statement.includes(";")) return "leave out semicolons: one statement at a time";
  const outside = await outsideFunctions(engine);
  const tree = Buffer.from(await engine.run("adhoc", `EXPLAIN AST ${statement}\nFORMAT TSVRaw`)).toString("utf8");
  const lines = tree.split("\n").filter((line) => line !== "");
  if (!/^SelectWith(Union|IntersectExcept)Query /.test(lines[0] ?? "")) return "only SELECT is allowed";
  for (const line of lines.slice(1)) {
    const refusal = refuseLine(line, outside);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function refuseLine(line: string, outside: ReadonlySet<string>): string | undefined {
  if (line.startsWith(" Literal ")) return "INTO OUTFILE is not allowed";
  if (/^\S/.test(line)) return "only one SELECT is allowed";
  const [, kind, rest = ""] = /^ +(\w+) ?(.*)$/.exec(line) ?? [];
  switch (kind) {
    case "TableIdentifier":
      return tablePattern.test(rest) ? undefined : "only the analytics tables can be read";
    case "Function": {
      const name = /^\S+/.exec(rest)?.[0].toLowerCase() ?? "";
      return outside.has(name) ? `the function ${name} is not allowed` : undefined;
    }
    case "Set":
      return "SETTINGS are not allowed";
    default:
      return undefined;
  }
}

// A name without a database is one of ours, or a name that the statement itself has given (WITH).
const tablePattern = /^(gatehouse\.)?\w+( \(alias .*\))?$/;

/** Table functions that only make up rows. */
const harmless = new Set(["numbers", "numbers_mt", "zeros", "zeros_mt", "values", "generateseries", "generate_series"]);

/** Ordinary functions that read something else than their arguments, or only cost time. */
const alsoOutside = ["file", "catboostevaluate", "sleep", "sleepeachrow", "getserversetting", "showcertificate"];

async function outsideFunctions(engine: ChdbEngine): Promise<ReadonlySet<string>> {
  const names = await engine.run("adhoc", "SELECT lower(name) FROM system.table_functions FORMAT TSVRaw");
  const all = Buffer.from(names).toString("utf8").split("\n");
  return new Set([...all, ...alsoOutside].filter((name) => name !== "" && !harmless.has(name)));
}
