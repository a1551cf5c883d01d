import { gatehouseVersion } from "../../version.ts";
import { plainJson } from "../plain-text.ts";
import type { LintResult } from "./lint-result.ts";
import { countSeverities } from "./lint-result.ts";
import { printGithub } from "./print-github.ts";
import { printJunit } from "./print-junit.ts";
import { printPretty } from "./print-pretty.ts";
import { printSarif } from "./print-sarif.ts";

/** Forms of a report, for people and for other programs. */
export const reportFormats = ["pretty", "json", "sarif", "junit", "github"] as const;
export type ReportFormat = (typeof reportFormats)[number];

/** What was found, in that form, without the last line's end. Nothing in it plays with a terminal or a runner's log. */
export function printReport(results: readonly LintResult[], format: ReportFormat): string {
  switch (format) {
    case "pretty":
      return printPretty(results);
    case "json":
      return plainJson({ version: gatehouseVersion, summary: countSeverities(results), documents: results });
    case "sarif":
      return printSarif(results);
    case "junit":
      return printJunit(results);
    case "github":
      return printGithub(results);
  }
}
