import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { apiKeyDocumentSchema } from "../../src/core/api-key-spec.ts";
import { attachmentsSchema } from "../../src/core/attachment.ts";
import { findKind } from "../../src/core/kinds.ts";
import { apiVersion, metadataInputSchema } from "../../src/core/resource.ts";
import { guardrails } from "../../src/guardrails/index.ts";
import { policies as corePolicies } from "../../src/policies/index.ts";
import { projectFiles } from "../gates/project-files.ts";
import { requiredHeader } from "./required-header.ts";

const root = join(import.meta.dirname, "../..");
const pages = projectFiles(/^(docs\/.*|[A-Z]+)\.md$/).map((file) => ({
  file,
  text: readFileSync(join(root, file), "utf8"),
}));

describe("the plug-in that CONTRIBUTING shows", () => {
  test("is the file that is compiled here", () => {
    const compiled = readFileSync(join(root, "test/docs/required-header.ts"), "utf8").replaceAll("../../src/", "../");
    const guide = pages.find(({ file }) => file === "CONTRIBUTING.md")?.text ?? "";
    expect(/```ts\n(import [\s\S]*?)```/.exec(guide)?.[1]).toBe(compiled);
  });

  test("has examples that satisfy its own schema", () => {
    const parsed = requiredHeader.examples.map((example) => requiredHeader.config.parse(example));
    expect(parsed).toEqual([{ name: "x-cost-centre" }]);
  });
});

describe("resources in the documentation", () => {
  const samples = pages.flatMap(({ file, text }) =>
    fences(text, "yaml").flatMap((source, fence) =>
      parseAllDocuments(source).map((document, index) => ({
        file,
        index: `${fence}.${index}`,
        value: document.toJS() as unknown,
      })),
    ),
  );
  const lists = samples.flatMap((sample) => {
    const policies = policiesIn(sample.value);
    return policies === undefined ? [] : [{ ...sample, policies }];
  });
  const documents = samples.filter(({ value }) => policiesIn(value) === undefined);

  test("were found", () => {
    expect(documents.length).toBeGreaterThan(0);
    expect(lists.length).toBeGreaterThan(0);
  });

  test.each(lists)("$file, list of policies $index is valid", ({ policies }) => {
    for (const { use, with: config } of attachmentsSchema.parse(policies)) {
      const plugin = plugins.find(({ id }) => id === use);
      expect([use, plugin?.config.safeParse(config)]).toMatchObject([use, { success: true }]);
    }
  });

  test.each(documents)("$file, document $index is valid", ({ value }) => {
    const envelope = z.strictObject({
      apiVersion: z.literal(apiVersion),
      kind: z.string(),
      metadata: metadataInputSchema,
      spec: z.unknown(),
    });
    const { kind, spec } = envelope.parse(value);
    expect(findKind(kind)?.spec.safeParse(spec)).toMatchObject({ success: true });
  });

  test("the body that makes a key is valid", () => {
    const guide = pages.find(({ file }) => file === "docs/guides/keys.md")?.text ?? "";
    const [body] = fences(guide, "json");
    expect(apiKeyDocumentSchema.safeParse(JSON.parse(body ?? ""))).toMatchObject({ success: true });
  });
});

describe("links in the documentation", () => {
  const links = pages.flatMap(({ file, text }) =>
    [...text.matchAll(/\]\((?!https?:)([^)#]+)(#[^)]*)?\)/g)].map((match) => ({ file, target: match[1] ?? "" })),
  );
  const known = projectFiles(/./);

  test("were found", () => {
    expect(links.length).toBeGreaterThan(5);
  });

  test.each(links)("$file leads to $target, which is there", ({ file, target }) => {
    const path = join(file, "..", target).replace(/\/$/, "");
    expect(known.some((other) => other === path || other.startsWith(`${path}/`))).toBe(true);
  });

  test.each(pages)("the source files that $file names are there", ({ text }) => {
    const named = [...text.matchAll(/`((?:src|scripts|test|bin|docs)\/[\w./-]+\.\w+)`/g)].map(
      (match) => match[1] ?? "",
    );
    expect(named.filter((file) => !known.includes(file) && file !== "src/policies/required-header.ts")).toEqual([]);
  });
});

const plugins = [...corePolicies, ...guardrails];

/** A sample that is no whole resource: a list of policies, alone or where it stands in a resource. */
function policiesIn(value: unknown): unknown {
  if (Array.isArray(value)) return value;
  if (typeof value !== "object" || value === null || "kind" in value) return undefined;
  if ("policies" in value) return value.policies;
  return "spec" in value ? policiesIn(value.spec) : undefined;
}

function fences(markdown: string, language: string): readonly string[] {
  return [...markdown.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map(
    (match) => match[1] ?? "",
  );
}
