import { expect, test } from "vitest";
import { projectFiles, readProjectFile } from "./project-files.ts";

const comfortableLines = 300;
const limitLines = 500;

/** `// long: …` in the first lines of a file says why it stays whole. */
const reason = /^(\/\/|#|\/?\*\*?) long: \S+ \S+/m;

const files = projectFiles(/^(src|test|scripts|bin|\.ci)\/.*\.(ts|cjs|mjs)$|^[^/]+\.config\.ts$/).map((file) => {
  const text = readProjectFile(file);
  return { file, lines: text.split("\n").length - 1, head: text.split("\n").slice(0, 5).join("\n") };
});

test("the sources were read", () => {
  expect(files.filter(({ file }) => file.startsWith("src/")).length).toBeGreaterThan(40);
  expect(files.filter(({ lines }) => lines < 1)).toEqual([]);
});

test(`no file is longer than ${limitLines} lines`, () => {
  expect(files.filter(({ lines }) => lines > limitLines).map(({ file, lines }) => `${file}: ${lines}`)).toEqual([]);
});

test(`a file of more than ${comfortableLines} lines says why`, () => {
  const silent = files.filter(({ lines, head }) => lines > comfortableLines && !reason.test(head));
  expect(silent.map(({ file, lines }) => `${file}: ${lines}`)).toEqual([]);
});

test("no file is named after what it is made of instead of what it gives", () => {
  const vague = files.filter(({ file }) => /(^|\/)(utils?|helpers?|common|misc|shared|types)\.ts$/.test(file));
  expect(vague.map(({ file }) => file)).toEqual([]);
});

test("file names are in kebab-case", () => {
  const odd = files.filter(({ file }) => !/^[a-z0-9.-]+$/.test(file.split("/").at(-1) ?? ""));
  expect(odd.map(({ file }) => file)).toEqual([]);
});
