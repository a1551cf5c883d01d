import type { Document, LineCounter } from "yaml";
import { z } from "zod";
import type { GovernedSubject } from "../../core/governance-gate.ts";
import { findKind, resourceKinds } from "../../core/kinds.ts";
import { refuseTooDeep } from "../../core/parse-document.ts";
import type { ResourceKind } from "../../core/resource.ts";
import { apiVersion, metadataInputSchema } from "../../core/resource.ts";
import { readOnlyMetadata } from "../../core/resource-document.ts";
import { mapSecrets } from "../../core/secret-fields.ts";
import { documentOf, isDescribed } from "../../governance/document-of.ts";
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
 * A resource as rulesets see it in the product: what its writer left out is there, what can be derived of it stands beside
 * it, secrets are masked. What only a running product knows is empty. What the product itself would refuse of it is found
 * already.
 */
export async function readResource({ source, isFile, document, lines, value }: ResourceText): Promise<ReadSource> {
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
  const labels = isObject(metadata) && isObject(metadata["labels"]) ? metadata["labels"] : {};
  const masked = { ...value, spec: mapSecrets(kind.spec, value["spec"], pluginSchemas, mask) };
  const faults = schemaFaults(documentSchema(kind), masked);
  const parsed = kind.spec.safeParse(masked.spec);
  return {
    source,
    isFile,
    title,
    parts: parsed.success
      ? await partsOf({ kind: kind.kind, name, labels, spec: parsed.data }, locate)
      : brokenParts({ kind: kind.kind, name, labels, spec: masked.spec }, locate),
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

interface Subject extends Omit<GovernedSubject, "labels"> {
  readonly labels: Readonly<Record<string, unknown>>;
}

async function partsOf(subject: Subject, locate: Locate): Promise<readonly LintPart[]> {
  const labels = subject.labels as GovernedSubject["labels"]; // what is no text in them is found already
  const textOf = async (type: LintPart["of"]) => (await documentOf(undefined, { ...subject, labels }, type))?.text;
  const [own = "{}", definition] = [await textOf("metadata"), await textOf("definition")];
  return bothParts(subject.kind, { own, definition }, locate);
}

/** Of one that the product would refuse: nothing is derived of it. */
function brokenParts({ kind, name, labels, spec }: Subject, locate: Locate): readonly LintPart[] {
  const definition = isObject(spec) ? spec["definition"] : undefined;
  const own = JSON.stringify({ apiVersion, kind, metadata: { name, labels }, spec }, undefined, 2);
  return bothParts(
    kind,
    { own, definition: isObject(definition) ? JSON.stringify(definition, undefined, 2) : undefined },
    locate,
  );
}

function bothParts(
  kind: string,
  { own, definition }: { readonly own: string; readonly definition: string | undefined },
  locate: Locate,
): readonly LintPart[] {
  const rulesets = resourceRulesets(kind);
  const whole = (finding: Finding): LintFinding => ({ ...finding, range: locate(finding.path) });
  const first: LintPart = { kind, of: "metadata", rulesets, text: own, place: whole };
  if (definition === undefined) return [first];
  if (!isDescribed(kind)) return [first, { ...first, of: "definition", rulesets: [] }];
  const place = (finding: Finding): LintFinding => {
    const path = ["spec", "definition", ...finding.path];
    return { ...finding, path, range: locate(path) };
  };
  const usual = descriptionRulesets[kind === "AsyncApi" ? "asyncapi" : "openapi"];
  return [first, { kind, of: "definition", rulesets: usual, text: definition, place }];
}

function schemaFinding(locate: Locate, path: readonly (string | number)[], message: string): LintFinding {
  const howToFix = "docs/reference names every member of each kind.";
  return { rule: schemaRule, severity: "error", message, path, range: locate(path), howToFix };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
