import { dirname, resolve } from "node:path";
import { holds, insideSource, privileges, whyNotImport } from "./boundaries.ts";

/** A node of the linter's syntax tree; which members it has depends on `type` (ESTree). */
interface Node {
  readonly type: string;
  readonly [member: string]: unknown;
}

interface RuleContext {
  readonly cwd: string;
  readonly filename: string;
  readonly sourceCode: { getScope(node: Node): Scope | null };
  report(finding: { readonly node: Node; readonly message: string }): void;
}

interface Scope {
  readonly upper: Scope | null;
  readonly set: ReadonlyMap<string, { readonly defs: readonly unknown[] }>;
}

type Visitor = Readonly<Record<string, (node: Node) => void>>;

/** A rule that looks at files below `src/` only; `file` is relative to it. */
function sourceRule(visit: (context: RuleContext, file: string) => Visitor) {
  return {
    create(context: RuleContext): Visitor {
      const file = insideSource(context.cwd, context.filename);
      return file === undefined ? {} : visit(context, file);
    },
  };
}

/** Relative imports stay within the table of layers: static, dynamic, re-exported and type-only ones alike. */
const layers = sourceRule((context, file) =>
  importVisitor((node, specifier) => {
    if (!specifier.startsWith(".")) return;
    const target = insideSource(context.cwd, resolve(dirname(context.filename), specifier));
    const message = target === undefined ? `${specifier} leaves src/` : whyNotImport(file, target);
    if (message !== undefined) context.report({ node, message });
  }),
);

/** Database drivers stay in `store/`. */
const drivers = sourceRule((context, file) => {
  const { packages, holders, reason } = privileges.drivers;
  if (holds(holders, file)) return {};
  return importVisitor((node, specifier) => {
    if (packages.some((name) => isFromPackage(specifier, name))) context.report({ node, message: reason });
  });
});

/** Outbound connections are opened in two files; types of HTTP are free to all, and so is a `fetch` that was handed in. */
const outbound = sourceRule((context, file) => {
  const { packages, harmless, harmlessFiles, names, globals, holders, reason } = privileges.outbound;
  if (holds(holders, file)) return {};
  const clientNames: Readonly<Record<string, readonly string[]>> = names;
  const onUse = (node: Node): void => {
    const callee = asNode(node["callee"]);
    const name = globalName(callee);
    if (callee === undefined || !globals.some((banned) => banned === name)) return;
    if (callee.type === "Identifier" && isDeclared(callee, context)) return;
    context.report({ node, message: reason });
  };
  return {
    ...importVisitor((node, specifier) => {
      if (node["importKind"] === "type" || node["exportKind"] === "type" || node.type === "TSImportType") return;
      if (file.endsWith(".d.ts") || harmlessFiles.some((free) => free === specifier)) return;
      const taken = importedNames(node).filter((name) => !harmless.some((free) => free === name));
      const banned = clientNames[specifier] ?? clientNames[`node:${specifier}`] ?? [];
      const isClient = packages.some((name) => isFromPackage(specifier, name));
      if (isClient ? taken.length > 0 : taken.some((name) => banned.includes(name))) {
        context.report({ node, message: reason });
      }
    }),
    CallExpression: onUse,
    NewExpression: onUse,
  };
});

/** `process.env` belongs to `config.ts`. */
const environment = sourceRule((context, file) => {
  const { holders, reason } = privileges.environment;
  if (holds(holders, file)) return {};
  return {
    ...importVisitor((node, specifier) => {
      if (/^(node:)?process$/.test(specifier)) context.report({ node, message: `use the global process; ${reason}` });
    }),
    MemberExpression(node) {
      if (globalName(node["object"]) === "process" && memberName(node) === "env")
        context.report({ node, message: reason });
    },
    VariableDeclarator(node) {
      if (globalName(node["init"]) === "process") context.report({ node, message: reason });
    },
  };
});

/** The time is read in `kernel/clock.ts`. `new Date(value)` only formats and is free to all. */
const time = sourceRule((context, file) => {
  const { holders, reason } = privileges.time;
  if (holds(holders, file)) return {};
  const report = (node: Node): void => context.report({ node, message: reason });
  return {
    MemberExpression(node) {
      const path = `${globalName(node["object"]) ?? ""}.${memberName(node) ?? ""}`;
      if (
        ["Date.now", "performance.now", "performance.timeOrigin", "process.hrtime", "process.uptime"].includes(path)
      ) {
        report(node);
      }
    },
    NewExpression(node) {
      if (globalName(node["callee"]) === "Date" && listOf(node["arguments"]).length === 0) report(node);
    },
    CallExpression(node) {
      if (globalName(node["callee"]) === "Date") report(node);
    },
    ...importVisitor((node, specifier) => {
      if (/^(node:)?perf_hooks$/.test(specifier) && importedNames(node).includes("performance")) report(node);
    }),
  };
});

/** A pattern that is not written out in the source may be anybody's, and the built-in engine backtracks. */
const linearPatterns = sourceRule((context) => {
  const check = (node: Node): void => {
    if (globalName(node["callee"]) !== "RegExp") return;
    const [pattern] = listOf(node["arguments"]);
    if (pattern?.type === "Literal" && typeof pattern["value"] === "string") return;
    context.report({ node, message: "a pattern from a variable goes through kernel/safe-regex.ts, which is linear" });
  };
  return { NewExpression: check, CallExpression: check };
});

/** The engine misreads some names with escapes; one function does not. */
const plainJson = sourceRule((context, file) => {
  const { holders, reason } = privileges.json;
  if (holds(holders, file)) return {};
  return {
    MemberExpression(node) {
      if (globalName(node["object"]) === "JSON" && memberName(node) === "parse")
        context.report({ node, message: reason });
    },
  };
});

/** Everything that refers to another module: imports, re-exports, `import()`, `import("…").Type`, `require()`. */
function importVisitor(visit: (node: Node, specifier: string) => void): Visitor {
  const on = (node: Node): void => {
    const source = asNode(node["source"]);
    if (typeof source?.["value"] === "string") visit(node, source["value"]);
  };
  return {
    ImportDeclaration: on,
    ExportNamedDeclaration: on,
    ExportAllDeclaration: on,
    ImportExpression: on,
    TSImportType: on,
  };
}

/** What an import takes: names, `default`, or `*` for a namespace, a re-export of everything and `import()`. */
function importedNames(node: Node): readonly string[] {
  if (node.type === "ExportAllDeclaration" || node.type === "ImportExpression") return ["*"];
  return listOf(node["specifiers"]).flatMap((specifier) => {
    if (specifier["importKind"] === "type" || specifier["exportKind"] === "type") return [];
    if (specifier.type === "ImportDefaultSpecifier") return ["default"];
    if (specifier.type === "ImportNamespaceSpecifier") return ["*"];
    const name = asNode(specifier["imported"]) ?? asNode(specifier["local"]);
    return [String(name?.["name"] ?? name?.["value"])];
  });
}

/** `x` for `x` and for `globalThis.x`. */
function globalName(value: unknown): string | undefined {
  const node = asNode(value);
  if (node?.type === "Identifier") return String(node["name"]);
  if (node?.type !== "MemberExpression") return undefined;
  const object = asNode(node["object"]);
  const isGlobal = object?.type === "Identifier" && ["globalThis", "global"].includes(String(object["name"]));
  return isGlobal ? memberName(node) : undefined;
}

/** Whether the file itself declares what the identifier means: a parameter, a variable, an import. */
function isDeclared(identifier: Node, { sourceCode }: RuleContext): boolean {
  for (let scope = sourceCode.getScope(identifier); scope !== null; scope = scope.upper) {
    const variable = scope.set.get(String(identifier["name"]));
    if (variable !== undefined && variable.defs.length > 0) return true;
  }
  return false;
}

function memberName(node: Node): string | undefined {
  const property = asNode(node["property"]);
  const name = node["computed"] === true ? property?.["value"] : property?.["name"];
  return typeof name === "string" ? name : undefined;
}

function isFromPackage(specifier: string, name: string): boolean {
  return specifier === name || specifier.startsWith(`${name}/`) || `node:${specifier}` === name;
}

function asNode(value: unknown): Node | undefined {
  const isNode = typeof value === "object" && value !== null && "type" in value;
  return isNode ? (value as Node) : undefined; // the linter hands out nothing else with a `type`
}

function listOf(value: unknown): readonly Node[] {
  return Array.isArray(value) ? value.flatMap((item) => asNode(item) ?? []) : [];
}

export default {
  meta: { name: "gatehouse" },
  rules: {
    layers,
    drivers,
    outbound,
    environment,
    time,
    "linear-patterns": linearPatterns,
    "plain-json": plainJson,
  },
};
