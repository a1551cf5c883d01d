import { describe, expect, test } from "vitest";
import { gitFiles, projectFiles, readProjectFile } from "./project-files.ts";

interface Leftover {
  readonly name: string;
  readonly pattern: RegExp;
  readonly in: RegExp;
}

// Written in two parts where this file would find itself.
const leftovers: readonly Leftover[] = [
  { name: "a note for later", pattern: new RegExp(`\\b(${"TO"}DO|${"FIX"}ME|${"XX"}X)\\b`), in: /./ },
  { name: "a path into somebody's home", pattern: /(^|[\s"'`(=])\/(home|Users|root)\/[\w.-]+\//m, in: /./ },
  { name: "a test that runs alone", pattern: new RegExp(`\\b(test|it|describe)\\.${"only"}\\b`), in: /\.test\.ts$/ },
  { name: "a merge conflict", pattern: /^(<{7}|>{7}) /m, in: /./ },
  { name: "a private key", pattern: new RegExp(`-----BEGIN (\\w+ )?${"PRIVATE"} KEY-----`), in: /^(?!test\/)/ },
];

const text = /\.(ts|cjs|mjs|json|md|ya?ml|html|css|txt)$|(^|\/)(LICENSE|run|\.npmrc|\.gitignore)$/;
const files = projectFiles(text)
  .filter((file) => file !== "package-lock.json")
  .map((file) => ({ file, content: readProjectFile(file) }));

describe("nothing is left behind", () => {
  test("every text file that git knows was read", () => {
    expect(files.length).toBeGreaterThan(0);
    const known = gitFiles(text)?.filter((file) => file !== "package-lock.json");
    expect(files.map(({ file }) => file)).toEqual(known ?? files.map(({ file }) => file));
  });

  test.each(leftovers)("no file holds $name", ({ pattern, in: where }) => {
    const looked = files.filter(({ file }) => where.test(file));
    expect(looked.length).toBeGreaterThan(0);
    expect(looked.filter(({ content }) => pattern.test(content)).map(({ file }) => file)).toEqual([]);
  });
});
