import type { Document, LineCounter } from "yaml";
import { z } from "zod";
import { findKind, resourceKinds } from "../../core/kinds.ts";
import { refuseTooDeep } from "../../core/parse-document.ts";
import type { ResourceKind } from "../../core/resource.ts";
import { apiVersion, metadataInputSchema } from "../../core/resource.ts";
import { readOnlyMetadata } from "../../core/resource-document.ts";
import { mapSecrets } from "../../core/secret-fields.ts";
import type { Finding } from "../../governance/finding.ts";
import { didYouMean } from "../../kernel/nearest-name.ts";
import { pluginSchemas } from "../../plugin-schemas.ts";
import { descriptionRulesets, resourceRulesets } from "./default-rules.ts";
import type { LintFinding } from "./lint-result.ts";
import type { LintPart, ReadSource } from "./lint-subject.ts";
import type { Locate } from "./locate.ts";
import { locatorOf } from "./locate.ts";
import { schemaFaults } from "./schema-faults.ts";

/** A document of a resource file, parsed. */
export interface ResourceText {
  readonly source: string;
  readonly isFile: boolean;
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
  readonly value: Readonly<Record<string, unknown>>;
}

/**
 * A resource as rulesets see it: what its writer left out is as the product would have it, secrets are masked. What the
 * product itself would refuse of it is found already.
 */
export function readResource({ source, isFile, document, lines, value }: ResourceText): ReadSource {
  const locate = locatorOf(document, lines);
  const { kind: named, metadata = {} } = value;
  const name = isObject(metadata) && typeof metadata["name"] === "string" ? metadata["name"] : "";
  const title = `${typeof named === "string" ? named : "resource"} ${name}`.trim();
  const kind = typeof named === "string" ? findKind(named) : undefined;
  if (kind === undefined) {
    const known = resourceKinds.map((each) => each.kind);
    const nearest = typeof named === "string" ? didYouMean(named, known) : "";
    const found = schemaFinding(locate, ["kind"], `there is no such kind${nearest}`);
    return { source, isFile, title, parts: [], findings: [found] };
  }
  try {
    refuseTooDeep(value);
  } catch {
    return { source, isFile, fault: { message: "it is nested too deeply", line: locate([]).start.line + 1 } };
  }
  const masked = { ...value, spec: mapSecrets(kind.spec, value["spec"], pluginSchemas, mask) };
  const faults = schemaFaults(documentSchema(kind), masked);
  const spec = kind.spec.safeParse(masked.spec).data ?? masked.spec;
  return {
    source,
    isFile,
    title,
    parts: partsOf(kind.kind, { name, metadata, spec }, locate),
    findings: faults.map(({ path, message }) => schemaFinding(locate, path, message)),
  };
}

/** The rule of our own: what the product would not take. */
export const schemaRule = "resource-schema";

function documentSchema(kind: ResourceKind): z.ZodType {
  return z.strictObject({
    apiVersion: z.literal(apiVersion),
    kind: z.literal(kind.kind),
    metadata: metadataInputSchema.extend(readOnlyMetadata),
    spec: kind.spec,
    status: z.unknown().optional(),
  });
}

/** References to secrets stay; a value, sealed or not, is as if the installation had it. */
function mask(text: string): string {
  return text === "" || /^\$\{secret:[a-z0-9-]+\}$/.test(text) ? text : `\${sealed:isv_${"0".repeat(24)}}`;
}

function partsOf(
  kind: string,
  { name, metadata, spec }: { readonly name: string; readonly metadata: unknown; readonly spec: unknown },
  locate: Locate,
): readonly LintPart[] {
  const labels = isObject(metadata) ? (metadata["labels"] ?? {}) : {};
  const form = { apiVersion, kind, metadata: { name, labels }, spec };
  const own: LintPart = {
    of: "metadata",
    rulesets: resourceRulesets(kind),
    text: JSON.stringify(form, undefined, 2),
    place: (finding) => ({ ...finding, range: locate(finding.path) }),
  };
  const definition = isObject(spec) ? spec["definition"] : undefined;
  if (!isObject(definition)) return [own];
  const place = (finding: Finding): LintFinding => {
    const path = ["spec", "definition", ...finding.path];
    return { ...finding, path, range: locate(path) };
  };
  const rulesets = descriptionRulesets[kind === "AsyncApi" ? "asyncapi" : "openapi"];
  return [own, { of: "definition", rulesets, text: JSON.stringify(definition, undefined, 2), place }];
}

function schemaFinding(locate: Locate, path: readonly (string | number)[], message: string): LintFinding {
  const howToFix = "docs/reference names every member of each kind.";
  return { rule: schemaRule, severity: "error", message, path, range: locate(path), howToFix };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
