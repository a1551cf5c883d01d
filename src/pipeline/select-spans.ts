import type { SpanSelectionSpec } from "../core/guardrail-options.ts";
import type { FieldIssue } from "../kernel/errors.ts";
import { toGatewayError } from "../kernel/errors.ts";
import { globMatcher } from "../kernel/glob.ts";
import type { JsonPath } from "../kernel/json-path.ts";
import { compileJsonPath } from "../kernel/json-path.ts";
import type { SpanFacts } from "./adapter.ts";
import type { GuardrailPhase, SpanEdit, TextSpan } from "./define-guardrail.ts";

/** Which texts of a message a guardrail sees, by phase; all of a phase that is absent. */
export type SpanSelection = Readonly<Partial<Record<GuardrailPhase, SelectSpans>>>;

/** The chosen of these, in their order. `document` is the message as JSON, asked for only where a query needs it. */
export type SelectSpans = (spans: readonly TextSpan[], document: () => unknown) => readonly TextSpan[];

type PhaseSpec = NonNullable<SpanSelectionSpec["request"]>;

/**
 * A selection, compiled. Faults, among them whatever could never choose anything of this protocol, go to `fault` with
 * paths below the selection. Without `facts` (an attachment for APIs of any kind) only what holds everywhere is checked.
 */
export function compileSelection(
  spec: SpanSelectionSpec,
  phases: readonly GuardrailPhase[],
  facts: SpanFacts | undefined,
  fault: (issue: FieldIssue) => void,
): SpanSelection {
  const selection: { -readonly [Phase in GuardrailPhase]?: SelectSpans } = {};
  for (const phase of ["request", "response"] as const) {
    const own = spec[phase];
    if (own === undefined) continue;
    if (!phases.includes(phase)) fault({ path: phase, message: `this guardrail does not look at a ${phase}` });
    else
      selection[phase] = compilePhase(own, phase, facts, (issue) =>
        fault({ ...issue, path: `${phase}.${issue.path}` }),
      );
  }
  return selection;
}

/** The edits of chosen spans as edits of all of them. */
export function editsOfAll(
  edits: readonly SpanEdit[],
  chosen: readonly TextSpan[],
  all: readonly TextSpan[],
): readonly SpanEdit[] {
  if (chosen === all || edits.length === 0) return edits;
  const places = new Map(all.map((span, place) => [span, place]));
  return edits.map((edit) => {
    const span = chosen[edit.span];
    return { ...edit, span: (span && places.get(span)) ?? -1 };
  });
}

type Choose = (span: TextSpan) => boolean;

function compilePhase(
  { authors, turns, places, jsonPath }: PhaseSpec,
  phase: GuardrailPhase,
  facts: SpanFacts | undefined,
  fault: (issue: FieldIssue) => void,
): SelectSpans {
  if (authors !== undefined && facts !== undefined && !authors.some((each) => facts.authors[phase].includes(each))) {
    const there = facts.authors[phase].join(", ");
    fault({ path: "authors", message: `no text of this kind of API is theirs; there are those of: ${there}` });
  }
  if (turns !== undefined && facts?.hasTurns === false) {
    fault({ path: "turns", message: "requests of this kind of API are no conversations" });
  }
  if (turns !== undefined && authors !== undefined && !authors.includes("user")) {
    fault({ path: "turns", message: "turns are the user's, and `authors` leaves those out" });
  }
  const query = jsonPath === undefined ? undefined : compileQuery(jsonPath, fault);
  const named = places && globMatcher(places);
  const choose: Choose = ({ author, place }) =>
    (authors === undefined || authors.includes(author)) && (named === undefined || named(place));
  const count = turns === "last" ? 1 : turns;
  return (spans, document) => {
    const current = count === undefined ? spans : lastTurns(spans, count);
    const chosen = current.filter(choose);
    return query === undefined || chosen.length === 0 ? chosen : found(chosen, query, document);
  };
}

function compileQuery(text: string, fault: (issue: FieldIssue) => void): JsonPath | undefined {
  try {
    return compileJsonPath(text);
  } catch (error) {
    fault({ path: "jsonPath", message: toGatewayError(error).message });
    return undefined;
  }
}

/** The user's texts since the `count`-th turn from the end; what nobody else's text parts is one turn. */
function lastTurns(spans: readonly TextSpan[], count: number): readonly TextSpan[] {
  const chosen: TextSpan[] = [];
  let turns = 0;
  let isInTurn = false;
  for (const span of spans.toReversed()) {
    const isUsers = span.author === "user";
    if (isUsers && !isInTurn) turns += 1;
    if (turns > count) break;
    if (isUsers) chosen.push(span);
    isInTurn = isUsers;
  }
  return chosen.toReversed();
}

interface Branch {
  isChosen: boolean;
  readonly below: Map<string | number, Branch>;
}

/** Those at and below what the query finds. All of them where it fails: what cannot be told apart is judged. */
function found(spans: readonly TextSpan[], query: JsonPath, document: () => unknown): readonly TextSpan[] {
  const root = branch();
  try {
    for (const path of query.locate(document())) {
      let at = root;
      for (const step of path) {
        const next = at.below.get(step) ?? branch();
        at.below.set(step, next);
        at = next;
      }
      at.isChosen = true;
    }
  } catch {
    return spans;
  }
  return spans.filter(({ path }) => path !== undefined && isBelow(root, path));
}

function branch(): Branch {
  return { isChosen: false, below: new Map() };
}

function isBelow(root: Branch, path: readonly (string | number)[]): boolean {
  let at: Branch | undefined = root;
  for (const step of path) {
    if (at === undefined || at.isChosen) break;
    at = at.below.get(step);
  }
  return at?.isChosen === true;
}
