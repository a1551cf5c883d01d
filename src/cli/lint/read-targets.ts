import { resolve } from "node:path";
import { GatewayError } from "../../kernel/errors.ts";
import type { Shell } from "../shell.ts";
import { findFiles } from "./find-files.ts";
import type { LintOptions } from "./lint.ts";
import type { LintSubject, ReadSource } from "./lint-subject.ts";
import { maybeLinted, readSubjects } from "./read-subjects.ts";
import { decodeText, readTextFile } from "./read-text.ts";

/** What targets of the command line stand for, in their order. A target at fault keeps no other from being read. */
export async function* readTargets(
  targets: readonly string[],
  options: LintOptions,
  shell: Shell,
): AsyncGenerator<ReadSource> {
  for (const target of targets) {
    if (/^mcp\+https?:\/\//i.test(target)) yield* live(target, () => readMcpUrl(target, options, shell));
    else if (/^https?:\/\//i.test(target)) yield* live(target, () => readUrl(target, options, shell));
    else if (target === "-") yield* await textSubjects("-", await shell.readInput(), options);
    else yield* readPath(target, options, shell);
  }
  const { stdio } = options;
  if (stdio !== undefined) yield* live(`stdio: ${stdio}`, () => readMcpCommand(stdio, options, shell));
}

async function* readPath(target: string, options: LintOptions, shell: Shell): AsyncGenerator<ReadSource> {
  try {
    let isAny = false;
    for (const { path, isNamed } of await findFiles(target, shell.cwd)) {
      for (const read of await readFileSubjects(path, isNamed, options, shell)) {
        isAny = true;
        yield read;
      }
    }
    if (!isAny)
      yield faultOf(target, new GatewayError("resource.not_found", "there is nothing in it that could be linted"));
  } catch (error) {
    yield faultOf(target, error);
  }
}

/** Of a file that nobody has named, nothing where it is none of ours. */
async function readFileSubjects(
  path: string,
  isNamed: boolean,
  options: LintOptions,
  shell: Shell,
): Promise<readonly ReadSource[]> {
  try {
    const text = await readTextFile(resolve(shell.cwd, path));
    if (!isNamed && !maybeLinted(text)) return [];
    const takesAny = isNamed && options.ruleset !== undefined;
    const found = await readSubjects({ source: path, isFile: true, text }, { takesAny });
    return isNamed ? found : found.filter((each) => !("fault" in each && each.fault.isUnknown === true));
  } catch (error) {
    return isNamed ? [faultOf(path, error)] : [];
  }
}

function textSubjects(source: string, text: string, options: LintOptions): Promise<readonly ReadSource[]> {
  return readSubjects({ source, isFile: false, text }, { takesAny: options.ruleset !== undefined });
}

// What looks at servers is loaded where one is named: files need none of it.
async function readUrl(url: string, options: LintOptions, shell: Shell): Promise<readonly ReadSource[]> {
  const { fetchDocument } = await import("./read-live.ts");
  return textSubjects(url, decodeText(await fetchDocument(url, options, shell)), options);
}

async function readMcpUrl(target: string, options: LintOptions, shell: Shell): Promise<readonly LintSubject[]> {
  return [await (await import("./read-live.ts")).readMcpUrl(target, options, shell)];
}

async function readMcpCommand(command: string, options: LintOptions, shell: Shell): Promise<readonly LintSubject[]> {
  return [await (await import("./read-live.ts")).readMcpCommand(command, options, shell)];
}

async function* live(source: string, read: () => Promise<readonly ReadSource[]>): AsyncGenerator<ReadSource> {
  try {
    yield* await read();
  } catch (error) {
    yield faultOf(source, error, false);
  }
}

function faultOf(source: string, error: unknown, isFile = true): ReadSource {
  if (!(error instanceof GatewayError)) throw error;
  const detail = error.detail === undefined ? "" : ` (${error.detail})`;
  return { source, isFile, fault: { message: `${error.message}${detail}` } };
}
