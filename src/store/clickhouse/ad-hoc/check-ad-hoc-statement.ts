import { allowedTableFunctions, isAllowedFunction } from "./allowed-functions.ts";

/** What is checked: one statement in the two forms that the engine's own parser gives of it. */
export interface ParsedStatement {
  /** The statement as the engine writes it down itself, on one line and without comments. This is what is run. */
  readonly canonical: string;
  /** Lines of `EXPLAIN AST` of the canonical form, as TabSeparated escapes them: a name has no line feed in it. */
  readonly tree: readonly string[];
}

/** What the store has, so that a name can be told from another. */
export interface StoreNames {
  /** The database whose tables may be read. */
  readonly database: string;
  /** Every database that there is. */
  readonly databases: readonly string[];
  /** Every table of `database`. */
  readonly tables: readonly string[];
  /** Those of them that may be read. */
  readonly allowedTables: ReadonlySet<string>;
  /** Every function and table function that the engine has, in lower case. */
  readonly functions: ReadonlySet<string>;
}

/**
 * Why a statement must not run, or undefined. `readonly` keeps tables from being written, but neither `file()` nor
 * `INTO OUTFILE` asks it; so what the statement is made of is held against lists of what is known to be harmless, and
 * whatever is not known is refused.
 */
export function checkAdHocStatement(statement: ParsedStatement, names: StoreNames): string | undefined {
  const [root = "", ...lines] = statement.tree.filter((line) => line !== "");
  if (!root.startsWith("SelectWithUnionQuery ")) return "only SELECT is allowed";
  let parent = "";
  for (const line of lines) {
    const node = readNode(line);
    const refusal = node === undefined ? `not allowed: ${line.trim().slice(0, 100)}` : refuseNode(node, parent, names);
    if (refusal !== undefined) return refusal;
    parent = node?.kind ?? "";
  }
  return refuseText(statement, names);
}

interface TreeNode {
  readonly depth: number;
  readonly kind: string;
  /** What the node is called, up to the first space. */
  readonly name: string;
}

function readNode(line: string): TreeNode | undefined {
  const [, indent = "", kind, name = ""] = /^( +)([\w:]+)(?: (\S*))?/.exec(line) ?? [];
  return kind === undefined ? undefined : { depth: indent.length, kind, name: name === "(children" ? "" : name };
}

/** `parent` is the kind of the line before: a table function is the first child of its table expression. */
function refuseNode({ depth, kind, name }: TreeNode, parent: string, names: StoreNames): string | undefined {
  if (depth === 1 && kind !== "ExpressionList") return outputClauses[kind] ?? "only one SELECT is allowed";
  switch (kind) {
    case "TableIdentifier":
      return refuseTable(name, names);
    case "Identifier":
      return refuseName(name, names);
    case "Function":
      if (parent === "TableExpression") {
        return allowedTableFunctions.has(name.toLowerCase()) ? undefined : `the table function ${name} is not allowed`;
      }
      return isAllowedFunction(name) ? undefined : `the function ${name} is not allowed`;
    case "Set":
      return "SETTINGS are not allowed";
    default:
      return harmlessKinds.has(kind) ? undefined : `${kind} is not allowed`;
  }
}

/** What stands beside the SELECT itself, by its kind. */
const outputClauses: Readonly<Record<string, string>> = {
  Identifier: "FORMAT is not allowed: choose the format of the answer beside the statement",
  Literal: "INTO OUTFILE is not allowed",
  Set: "SETTINGS are not allowed",
};

/** Kinds whose children are all shown, and which do nothing by themselves. Matchers (`COLUMNS`, APPLY) hide expressions. */
const harmlessKinds: ReadonlySet<string> = new Set([
  "SelectWithUnionQuery",
  "SelectIntersectExceptQuery",
  "SelectQuery",
  "ExpressionList",
  "Literal",
  "Subquery",
  "WithElement",
  "TablesInSelectQuery",
  "TablesInSelectQueryElement",
  "TableExpression",
  "TableJoin",
  "ArrayJoin",
  "OrderByElement",
  "InterpolateElement",
  "WindowListElement",
  "WindowDefinition",
  "SampleRatio",
  "Collation",
  "Asterisk",
  "QualifiedAsterisk",
  "ColumnsTransformerList",
  "ColumnsExceptTransformer",
  "ColumnsReplaceTransformer",
  "ColumnsReplaceTransformer::Replacement",
]);

function refuseTable(name: string, names: StoreNames): string | undefined {
  const parts = name.split(".");
  const isForeign = parts.length > 2 || (parts.length === 2 && parts[0] !== names.database);
  return isForeign ? notOurs(name) : refuseName(name, names);
}

/**
 * A name that could stand for a table: `x IN name` reads one, and the tree does not tell it from a column. One word is a
 * column, a name that the statement itself has given (WITH), or a table of our database.
 */
function refuseName(name: string, names: StoreNames): string | undefined {
  const [first = "", second] = name.split(".");
  if (second === undefined) {
    if (bareFunctions.has(first.toLowerCase())) return `${name} would tell of the server; call a column otherwise`;
    return names.tables.includes(first) && !names.allowedTables.has(first) ? notOurs(name) : undefined;
  }
  if (first === names.database) return names.allowedTables.has(second) ? undefined : notOurs(name);
  const isDatabase = names.databases.some((each) => each.toLowerCase() === first.toLowerCase());
  return isDatabase || systemNames.has(first.toLowerCase()) ? notOurs(name) : undefined;
}

/** What the engine calls without parentheses where no column has the name, of what may not be called with them. */
const bareFunctions: ReadonlySet<string> = new Set([
  "user",
  "currentuser",
  "current_user",
  "session_user",
  "database",
  "currentdatabase",
  "current_database",
  "schema",
]);

/** Databases that every store has, whether or not the user sees them. */
const systemNames: ReadonlySet<string> = new Set(["system", "information_schema", "default"]);

function notOurs(name: string): string {
  return `only the analytics tables can be read, not ${name}`;
}

/**
 * What the tree does not show. In `(expression).*` the expression is no part of it, so such asterisks are refused; and
 * no word before a parenthesis may be a function of the engine that is not on the lists, wherever it stands.
 */
function refuseText({ canonical, tree }: ParsedStatement, { functions }: StoreNames): string | undefined {
  const text = canonical
    .replace(/'(?:[^'\\]|\\.)*'/gs, "''")
    .replace(/[`"]((?:[^`"\\]|\\.)*)[`"]/gs, (_, name: string) => (/^\w+$/.test(name) ? name : "name"));
  const shown = tree.filter((line) => /^ +QualifiedAsterisk\b/.test(line)).length;
  if ((text.match(/\.\*/g)?.length ?? 0) > shown) return "an asterisk behind an expression is not allowed";
  for (const [, word = ""] of text.matchAll(/(\w+)\s*\(/g)) {
    const lower = word.toLowerCase();
    if (!functions.has(lower) || allowedTableFunctions.has(lower) || isAllowedFunction(lower)) continue;
    return `the function ${word} is not allowed`;
  }
  return undefined;
}
