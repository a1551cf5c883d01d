import { GatewayError } from "../../kernel/errors.ts";
import type { ByteEdit } from "../../kernel/json-scan.ts";
import { locateJson, spliceBytes } from "../../kernel/json-scan.ts";
import type { GuardrailPhase } from "../../pipeline/define-guardrail.ts";
import type { Frame, Operation } from "../../pipeline/exchange.ts";
import type { Deny } from "../../pipeline/outcome.ts";
import { deny } from "../../pipeline/outcome.ts";
import { changeFrame } from "../sse-frame.ts";
import { llmRequest } from "./llm-request.ts";

/**
 * What of this request keeps text from guardrails of that phase, as a refusal that names the member: an input of token
 * numbers in the request; for the answer, tokens one by one (a word that is cut in pieces matches nothing) and speech.
 */
export function hiddenText(operation: Operation, phase: GuardrailPhase): Deny | undefined {
  const { json, kind } = llmRequest(operation);
  if (kind === "pass-through") {
    const message = `A guardrail of this API has to read what passes, and cannot read ${operation.kind}.`;
    return deny("guardrail.denied", message, { detail: `hidden: ${operation.kind}` });
  }
  if (phase === "request") {
    if (kind !== "embeddings" || !holdsNumbers(json["input"])) return undefined;
    return refusal("input", "send text instead of token numbers: a guardrail of this API has to read it.");
  }
  if (kind !== "chat") return undefined;
  const told = Array.isArray(json["include"]) && json["include"].includes("message.output_text.logprobs");
  const member = told ? "include" : tokenMembers.find((name) => isWanted(json[name]));
  if (member !== undefined) return refusal(member, "a guardrail of this API judges answers, and not token by token.");
  const { modalities } = json;
  const speaks = Array.isArray(modalities) && modalities.some((each) => each !== "text");
  if (speaks) return refusal("modalities", "a guardrail of this API judges answers, and only text can be judged.");
  if (isWanted(json["audio"])) return refusal("audio", "a guardrail of this API judges answers, and cannot hear them.");
  return undefined;
}

/** OpenAI's own, and those by which servers of that dialect (vLLM, llama.cpp) tell tokens. */
const tokenMembers = ["logprobs", "top_logprobs", "prompt_logprobs", "n_probs", "return_token_ids"];

/** The frame without tokens one by one and without speech, should the upstream send them unasked. */
export function withoutHiddenText(frame: Frame): Frame {
  const message = frame.message();
  const paths: Path[] = [];
  addHiddenPaths(message, [], paths);
  for (const [at, choice] of memberOf(message, "choices").entries()) addHiddenPaths(choice, ["choices", at], paths);
  addResponsePaths(message, paths);
  if (paths.length === 0) return frame;
  return changeFrame(frame, (json) => {
    try {
      return spliceBytes(
        json,
        paths.flatMap((path) => nulled(json, path)),
      );
    } catch (cause) {
      throw new GatewayError("upstream.invalid", "The upstream's answer can be read in two ways.", { cause });
    }
  });
}

type Path = readonly (string | number)[];

const hiddenMembers = ["logprobs", "prompt_logprobs", "token_ids", "prompt_token_ids"];

function addHiddenPaths(holder: unknown, path: Path, into: Path[]): void {
  for (const name of hiddenMembers) if (isWanted(valueOf(holder, name))) into.push([...path, name]);
  for (const part of speakers) {
    if (isWanted(valueOf(valueOf(valueOf(holder, part), "audio"), "data"))) into.push([...path, part, "audio", "data"]);
  }
}

const speakers = ["message", "delta"];

/** Of a response of OpenAI's: whole, as an event that holds it, an item or a part of one. */
function addResponsePaths(message: unknown, into: Path[]): void {
  addItemPaths(message, [], into);
  addItemPaths(valueOf(message, "response"), ["response"], into);
  addContentPaths(valueOf(message, "item"), ["item"], into);
  addHiddenPaths(valueOf(message, "part"), ["part"], into);
}

function addItemPaths(holder: unknown, path: Path, into: Path[]): void {
  for (const [at, item] of memberOf(holder, "output").entries()) addContentPaths(item, [...path, "output", at], into);
}

function addContentPaths(item: unknown, path: Path, into: Path[]): void {
  for (const [at, part] of memberOf(item, "content").entries()) addHiddenPaths(part, [...path, "content", at], into);
}

function nulled(json: Uint8Array, path: Path): readonly ByteEdit[] {
  const range = locateJson(json, path);
  if (range === undefined) throw new RangeError(`no ${path.join(".")}`);
  return [{ start: range[0], end: range[1], replacement: "null" }];
}

function refusal(param: string, why: string): Deny {
  return deny("guardrail.denied", `\`${param}\` cannot be taken as it is: ${why}`, {
    param,
    detail: `hidden: ${param}`,
  });
}

/** Anything but the ways to say no. */
function isWanted(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== undefined && value !== null && value !== false && value !== 0 && value !== "";
}

function holdsNumbers(input: unknown): boolean {
  if (!Array.isArray(input)) return typeof input === "number";
  return input.some((each) => typeof each === "number" || (Array.isArray(each) && holdsNumbers(each)));
}

function valueOf(value: unknown, name: string): unknown {
  return value !== null && typeof value === "object" && name in value
    ? (value as Readonly<Record<string, unknown>>)[name] // `in` has just found it
    : undefined;
}

function memberOf(value: unknown, name: string): readonly unknown[] {
  const found = valueOf(value, name);
  return Array.isArray(found) ? found : [];
}
