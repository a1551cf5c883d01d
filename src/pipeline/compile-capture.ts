import type { CaptureSpec } from "../core/capture-settings.ts";
import { gateway } from "../core/gateway.ts";
import type { ArtifactSet } from "../core/plane-message.ts";
import type { FieldIssue } from "../kernel/errors.ts";

/** A text and what is known of it. */
export interface CapturedText {
  readonly text: string;
  /** The member that holds it: beside `password`, what looks random is a secret. */
  readonly name: string;
  /** UTF-16 units of the text that may be kept; the rest is only looked at, so that nothing is cut in two. */
  readonly keepUnits: number;
}

/** The begin of a text without personal data and secrets, and how many pieces were taken out. Throws when it cannot. */
export type Redact = (text: CapturedText) => { readonly text: string; readonly found: number };

/** Makes a redactor that knows what the guardrail `pii` knows by each of these configurations, and by none. */
export type MakeRedact = (configs: readonly unknown[]) => Redact;

/** What of an API's texts is kept, compiled. */
export interface CompiledCapture extends Omit<CaptureSpec, "parts"> {
  readonly request: boolean;
  readonly response: boolean;
  readonly redact: Redact;
}

/** The part of an API's spec that says what is kept. */
export interface CaptureSource {
  readonly capture?: CaptureSpec | undefined;
  readonly policies: readonly Attached[];
}

interface Attached {
  readonly use: string;
  readonly with: unknown;
}

/**
 * The names and kinds that the guardrails `pii` of the gateway and of the API know are taken out too. Undefined where nothing
 * is asked for. That texts cannot be redacted here is a fault: nothing is kept as it is.
 */
export function compileCapture(
  { capture, policies }: CaptureSource,
  { supporting }: Pick<ArtifactSet, "supporting">,
  { makeRedact }: { readonly makeRedact?: MakeRedact },
  fault: (issue: FieldIssue) => void,
): CompiledCapture | undefined {
  if (capture === undefined) return undefined;
  const everywhere = supporting.filter(({ kind, name }) => kind === "Gateway" && name === "default");
  const attached = [...everywhere.flatMap(({ spec }) => gateway.spec.parse(spec).policies), ...policies];
  const configs = attached.filter(({ use }) => use === "pii").map((each) => each.with);
  const { parts, ...spec } = capture;
  try {
    if (makeRedact !== undefined) {
      const redact = makeRedact(configs);
      return { ...spec, request: parts.includes("request"), response: parts.includes("response"), redact };
    }
    fault({ path: "spec.capture", message: "texts cannot be redacted here, and are not kept without" });
  } catch (error) {
    fault({ path: "spec.capture", message: error instanceof Error ? error.message.slice(0, 500) : "it fails" });
  }
  return undefined;
}
