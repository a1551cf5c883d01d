import { readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { describe, expect, test } from "vitest";
import { printArtifactSchema } from "../../src/cli/artifact-schema.ts";
import { findKind } from "../../src/core/kinds.ts";
import { artifactForms } from "../../src/governance/artifacts/artifact-forms.ts";
import { command } from "./test-shell.ts";

const folder = new URL("../../docs/reference/governance/", import.meta.url);
const fileOf = (kind: string) => `${findKind(kind)?.path}.schema.json`;

describe("the committed schemas of what rulesets see", () => {
  test.each(artifactForms)("$kind: it is what the command prints", async ({ kind }) => {
    expect(await readFile(new URL(fileOf(kind), folder), "utf8")).toBe(printArtifactSchema(kind));
  });

  test("there is one of each kind and no other", async () => {
    const files = (await readdir(folder)).filter((name) => name.endsWith(".schema.json"));
    expect(files.toSorted()).toEqual(artifactForms.map(({ kind }) => fileOf(kind)).toSorted());
  });
});

test("a kind that rulesets do not see is refused with those that they see", async () => {
  const { code, notes } = await command(["governance", "schema", "Plan"], { cwd: tmpdir() });
  expect(code).not.toBe(0);
  expect(notes).toContain("McpServer, LlmApi");
});
