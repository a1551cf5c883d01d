import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { KeyManagerRecord } from "../../src/core/plane-message.ts";
import type { EmbedderPlugin } from "../../src/embedding/define-embedder.ts";
import type { GuardrailPlugin } from "../../src/pipeline/define-guardrail.ts";
import type { KeyManagerPlugin } from "../../src/pipeline/define-key-manager.ts";
import type { PolicyPlugin } from "../../src/pipeline/define-policy.ts";
import type { ProviderPlugin } from "../../src/pipeline/define-provider.ts";
import type { StrategyPlugin } from "../../src/pipeline/define-strategy.ts";
import { buildTools } from "./exchange.ts";

export type AnyPlugin =
  | EmbedderPlugin
  | PolicyPlugin
  | GuardrailPlugin
  | ProviderPlugin
  | StrategyPlugin
  | KeyManagerPlugin;

export interface PluginContractOptions {
  /** The folder of the list, below the repository's root: `src/policies`. */
  readonly folder: string;
  readonly plugins: readonly AnyPlugin[];
  /** A file that holds several plug-ins as rows of a table. */
  readonly table?: string;
  /** Files that are not called as their plug-ins, by id. */
  readonly files?: Readonly<Record<string, string>>;
}

/** What every plug-in of a list keeps: one file, one line, one schema that says everything. */
export function pluginContract({ folder, plugins, table, files = {} }: PluginContractOptions): void {
  describe(`the plug-ins of ${folder}`, () => {
    test("have ids of their own", () => {
      expect(new Set(plugins.map(({ id }) => id)).size).toBe(plugins.length);
      expect(plugins.length).toBeGreaterThan(0);
    });

    test("are all that the folder defines", () => {
      const defining = sourceFiles(folder).filter((file) => /= define[A-Z]\w+\(/.test(readFileSync(file, "utf8")));
      const listed = plugins.map(({ id }) => fileOf(folder, files[id] ?? id)).filter((file) => file !== undefined);
      expect(new Set(listed)).toEqual(new Set(defining));
    });

    test("never import one another", () => {
      const ids = plugins.map(({ id }) => id);
      const allowed = table === undefined ? [] : [join(folder, table)]; // rows are made with their model's code
      for (const file of sourceFiles(folder).filter((name) => !name.endsWith("index.ts") && !allowed.includes(name))) {
        const imports = [...readFileSync(file, "utf8").matchAll(/from "\.[^"]*\/([\w-]+)\.ts"/g)].map(
          (match) => match[1],
        );
        expect(
          imports.filter((name) => name !== undefined && ids.includes(name) && fileOf(folder, name) !== undefined),
        ).toEqual([]);
      }
    });

    for (const plugin of plugins) {
      describe(`such as ${plugin.id}`, () => {
        onePlugin(plugin, folder, table, files[plugin.id]);
      });
    }
  });
}

function onePlugin(plugin: AnyPlugin, folder: string, table: string | undefined, file: string = plugin.id): void {
  test("is called as its file, or is a row of the table", () => {
    expect(plugin.id).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
    const tableText = table === undefined ? "" : readFileSync(join(folder, table), "utf8");
    expect(fileOf(folder, file) ?? (tableText.includes(`id: "${plugin.id}"`) ? "row" : undefined)).toBeDefined();
  });

  test("has a title and a summary", () => {
    expect(plugin.title).not.toBe("");
    expect(plugin.summary).toMatch(/\.$/);
  });

  test("refuses an option that it does not know", () => {
    expect(plugin.config).toBeInstanceOf(z.ZodObject);
    for (const example of plugin.examples) {
      const parsed = plugin.config.safeParse({ ...asObject(example), noSuchOption: 1 });
      expect(parsed.success ? [] : parsed.error.issues.map(({ code }) => code)).toContain("unrecognized_keys");
    }
  });

  test("tells of every option what it is and how large it may be", () => {
    expect(faultsOf(z.toJSONSchema(plugin.config, { io: "input" }), "config")).toEqual([]);
  });

  test("compiles each of its examples, and disposes what it made", async () => {
    expect(plugin.examples.length).toBeGreaterThan(0);
    for (const example of plugin.examples) {
      const config = plugin.config.parse(example);
      const compiled = plugin.compile(config, compileTools(), compilePlace);
      const judgesStreams = "phases" in compiled && compiled.phases.includes("response");
      const window = (judgesStreams ? compiled.window : undefined) ?? { size: judgesStreams ? 0 : 1, overlap: 0 };
      expect(window.size, "a usable window").toBeGreaterThan(window.overlap);
      if ("dispose" in compiled) await compiled.dispose?.();
    }
  });

  test("says what happens when it breaks, if it may be attached", () => {
    const said = "onError" in plugin ? plugin.onError : "not attached";
    expect(said).toMatch(
      plugin.kind === "policy" || plugin.kind === "guardrail" ? /^(deny|continue)$/ : /^not attached$/,
    );
  });
}

/** Of every kind of plug-in; nothing is fetched before there is a request. */
function compileTools() {
  const fetch = Object.assign(() => Promise.reject(new Error("compiling opens nothing")), {
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
  return { ...buildTools(), fetch };
}

const compilePlace = {
  place: "llm_x/policies[0]",
  id: "km_x" as KeyManagerRecord["id"], // an id like any other
  name: "x",
  use: "x",
  with: {},
  enabled: true,
};

function fileOf(folder: string, id: string): string | undefined {
  return [join(folder, `${id}.ts`), join(folder, id, `${id}.ts`)].find((file) => existsSync(file));
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name));
}

interface SchemaNode {
  readonly type?: string;
  readonly title?: string;
  readonly description?: string;
  readonly maximum?: number;
  readonly exclusiveMaximum?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly enum?: readonly unknown[];
  readonly additionalProperties?: boolean | SchemaNode;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
}

/** The places in a schema that leave the reader, or an attacker, without a bound. */
export function faultsOf(schema: object, place: string): string[] {
  const node = schema as SchemaNode; // JSON Schema as zod writes it
  const faults: string[] = [];
  if (node.type === "integer" || node.type === "number") {
    const largest = node.maximum ?? node.exclusiveMaximum ?? Infinity;
    if (largest >= Number.MAX_SAFE_INTEGER) faults.push(`${place} has no maximum`);
  }
  if (node.type === "array" && node.maxItems === undefined) faults.push(`${place} has no most items`);
  if (node.type === "string" && node.enum === undefined && node.maxLength === undefined && !("pattern" in node)) {
    faults.push(`${place} has no most length`);
  }
  if (node.type === "object" && node.additionalProperties === undefined) faults.push(`${place} is not strict`);
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    const at = `${place}.${name}`;
    if (!child.title || !child.description) faults.push(`${at} lacks a title or a description`);
    faults.push(...faultsOf(child, at));
  }
  if (node.items !== undefined) faults.push(...faultsOf(node.items, `${place}[]`));
  if (typeof node.additionalProperties === "object") faults.push(...faultsOf(node.additionalProperties, `${place}.*`));
  for (const child of node.anyOf ?? []) faults.push(...faultsOf(child, place));
  return faults;
}

function asObject(value: unknown): object {
  return typeof value === "object" && value !== null ? value : {};
}
