import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { projectRoot } from "./project-files.ts";

export interface LintFinding {
  /** `gatehouse/layers`, `typescript/no-floating-promises`, … */
  readonly rule: string;
  readonly file: string;
  readonly line: number | undefined;
  readonly message: string;
}

export interface LintRun {
  readonly files: number;
  readonly findings: readonly LintFinding[];
}

/** Runs the project's linter in `folder`, with the configuration that stands there. Throws when it did not finish. */
export function runLint(folder: string, paths: readonly string[] = ["."]): LintRun {
  const program = join(projectRoot, "node_modules/oxlint/bin/oxlint");
  const run = spawnSync(process.execPath, [program, "--format", "json", ...paths], {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  let report: OxlintReport;
  try {
    report = JSON.parse(run.stdout) as OxlintReport; // the linter's own format; a change shows in the planted test
  } catch (cause) {
    throw new Error(`the linter gave no report: ${run.stdout}${run.stderr}`, { cause });
  }
  return {
    files: report.number_of_files,
    findings: report.diagnostics.map((found) => ({
      rule: (found.code ?? "none").replace(/^(.+)\((.+)\)$/, "$1/$2"),
      file: found.filename,
      line: found.labels?.[0]?.span.line,
      message: found.message,
    })),
  };
}

interface OxlintReport {
  readonly number_of_files: number;
  readonly diagnostics: readonly {
    readonly code?: string;
    readonly filename: string;
    readonly message: string;
    readonly labels?: readonly { readonly span: { readonly line: number } }[];
  }[];
}
