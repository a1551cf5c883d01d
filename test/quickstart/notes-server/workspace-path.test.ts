import { join, resolve, sep } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseWorkspacePath } from "../../../src/quickstart/notes-server/workspace-path.ts";

describe("paths that pass", () => {
  test.each([
    { name: "a file", path: "letter.md", names: ["letter.md"] },
    { name: "a file in folders", path: "drafts/2026/letter.md", names: ["drafts", "2026", "letter.md"] },
    { name: "a name with spaces and letters of any script", path: "Ärger mit 手紙.txt", names: ["Ärger mit 手紙.txt"] },
    { name: "the workspace itself", path: ".", names: [] },
    { name: "nothing", path: "", names: [] },
    {
      name: "a name that only begins like a device",
      path: "console/auxiliary.txt",
      names: ["console", "auxiliary.txt"],
    },
    { name: "what looks like an encoded dot", path: "%2e%2e/x", names: ["%2e%2e", "x"] },
  ])("$name", ({ path, names }) => {
    expect(parseWorkspacePath(path)).toEqual(names);
  });
});

describe("paths that are refused", () => {
  test.each([
    { name: "a step up", path: "../x" },
    { name: "a step up in the middle", path: "a/../../x" },
    { name: "a step up at the end", path: "a/.." },
    { name: "an absolute path", path: "/etc/passwd" },
    { name: "a share", path: "//server/share" },
    { name: "a share in backslashes", path: "\\\\server\\share" },
    { name: "a step up in backslashes", path: "..\\x" },
    { name: "a drive", path: "C:\\x" },
    { name: "a drive without a root", path: "C:x" },
    { name: "a stream of a file", path: "letter.md:secret" },
    { name: "NUL", path: "letter.md\u0000.png" },
    { name: "a line break", path: "a\nb" },
    { name: "a hidden file", path: ".env" },
    { name: "a dot as a folder", path: "./x" },
    { name: "a slash at the end", path: "a/" },
    { name: "two slashes", path: "a//b" },
    { name: "a home directory by a dot name", path: "~/.ssh/id_rsa" },
    { name: "the null device", path: "nul" },
    { name: "a device with an extension", path: "drafts/CON.txt" },
    { name: "a serial port", path: "com1" },
    { name: "a serial port in a superscript digit", path: "COM¹" },
    { name: "a dot at the end, which Windows drops", path: "letter.md." },
    { name: "a space at the end, which Windows drops", path: "nul /x" },
    { name: "a wildcard", path: "*.md" },
    { name: "half a character", path: "a\ud800" },
    { name: "too many folders", path: "a/b/c/d/e/f/g/h/i" },
    { name: "a long name", path: "é".repeat(101) },
    { name: "a long path", path: `${"a".repeat(150)}/${"b".repeat(150)}/${"c".repeat(150)}` },
  ])("$name", ({ path }) => {
    expect(() => parseWorkspacePath(path)).toThrow(expect.objectContaining({ code: "request.invalid" }));
  });
});

test("whatever passes stays below the folder that it is joined to", () => {
  const pieces = fc.constantFrom("..", ".", "/", "\\", "a", "nul", " ", "\u0000", "%2e", "C:", "é", ".x");
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(pieces).map((list) => list.join("")),
      ),
      (path) => {
        const root = resolve(sep, "workspace");
        let names: readonly string[];
        try {
          names = parseWorkspacePath(path);
        } catch {
          return;
        }
        const joined = resolve(join(root, ...names));
        expect(joined === root || joined.startsWith(`${root}${sep}`)).toBe(true);
        expect(names.join("/")).toBe(path === "." ? "" : path);
      },
    ),
    { numRuns: 2_000 },
  );
});
