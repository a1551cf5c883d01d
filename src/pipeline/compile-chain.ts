import type { AttachmentSpec } from "../core/attachment.ts";
import type { FieldIssue } from "../kernel/errors.ts";
import { GatewayError, toGatewayError } from "../kernel/errors.ts";
import { globMatcher } from "../kernel/glob.ts";
import type { ProtocolAdapter } from "./adapter.ts";
import { compileCondition } from "./compile-condition.ts";
import { compileGuardrailOptions } from "./compile-guardrail-options.ts";
import type { CompiledGuardrail, GuardrailPlugin } from "./define-guardrail.ts";
import { judgingLongTexts } from "./long-texts.ts";
import type { PluginTools } from "./plugin.ts";
import type { PluginRegistry } from "./registry.ts";
import type { Attachment, CompiledChain } from "./snapshot.ts";

export interface ChainCompiler {
  /**
   * Compiles a list of attachments; `place` is the owner's id, `path` where the list stands in its document. With the
   * adapter of the one kind of API that the list is for, guardrails that could never see a text there are faults.
   */
  attachments(
    list: readonly AttachmentSpec[],
    place: string,
    path: string,
    adapter?: ProtocolAdapter,
  ): readonly Attachment[];
}

/** A compiler of `spec.policies`. Faults go to `fault`, all of them; what is faulty is left out of the result. */
export function createChainCompiler(
  registry: PluginRegistry,
  tools: PluginTools,
  fault: (issue: FieldIssue) => void,
): ChainCompiler {
  return {
    attachments: (list, place, path, adapter) =>
      list.flatMap((spec, index) => {
        const at = `${path}[${index}]`;
        const own = (issue: FieldIssue): void =>
          fault({ ...issue, path: issue.path === "" ? at : `${at}.${issue.path}` });
        const found = compileAttachment(spec, `${place}/policies[${index}]`, registry, tools, own, adapter);
        return found === undefined ? [] : [found];
      }),
  };
}

/** One attachment, or undefined with its faults reported; paths are below the attachment. */
export function compileAttachment(
  spec: AttachmentSpec,
  place: string,
  registry: PluginRegistry,
  tools: PluginTools,
  fault: (issue: FieldIssue) => void,
  adapter?: ProtocolAdapter,
): Attachment | undefined {
  const policy = registry.policies.get(spec.use);
  const guardrail = registry.guardrails.get(spec.use);
  const plugin = policy ?? guardrail;
  if (plugin === undefined) {
    const known = [...registry.policies.keys(), ...registry.guardrails.keys()].toSorted().join(", ");
    fault({ path: "use", message: `there is no policy or guardrail "${spec.use}"; there are: ${known}` });
    return undefined;
  }
  const config = plugin.config.safeParse(spec.with);
  if (!config.success) {
    for (const issue of config.error.issues) {
      fault({ path: ["with", ...issue.path].map(String).join("."), message: issue.message });
    }
    return undefined;
  }
  const lacks = adapter && policy?.needs?.find((need) => adapter[need] === undefined);
  if (lacks !== undefined) {
    fault({ path: "use", message: `"${spec.use}" has nothing to do at an API of the kind ${adapter?.kind}` });
    return undefined;
  }
  if (guardrail?.asksOnError === true && spec.onError === undefined) {
    const message = `say what happens when the service behind "${spec.use}" fails: "deny" or "continue"`;
    fault({ path: "onError", message });
    return undefined;
  }
  try {
    const applies = compileApplies(spec);
    const onError = spec.onError ?? plugin.onError;
    const handlers = policy?.compile(config.data, tools, { place, mode: spec.mode, onError });
    if (handlers?.identify !== undefined && asksForOperation(spec, fault)) {
      void handlers.dispose?.();
      return undefined;
    }
    const checks = guardrail && compileChecks(guardrail, spec, config.data, tools, registry);
    const options = compileGuardrailOptions(spec, guardrail, checks, adapter, fault);
    if (checks !== undefined) assertJudgesStreams(spec.use, checks);
    return {
      use: spec.use,
      place,
      mode: spec.mode,
      onError,
      applies,
      policy: handlers,
      guardrail: checks,
      ...options,
    };
  } catch (error) {
    fault({ path: "", message: toGatewayError(error).message });
    return undefined;
  }
}

function compileChecks(
  plugin: GuardrailPlugin,
  { use, with: given }: AttachmentSpec,
  config: unknown,
  tools: PluginTools,
  { longTexts }: PluginRegistry,
): CompiledGuardrail {
  const compiled = plugin.compile(config, tools);
  const { isPure } = plugin;
  const goesElsewhere = isPure !== undefined || compiled.search !== undefined;
  if (!goesElsewhere || longTexts === undefined) return compiled;
  return judgingLongTexts(compiled, { use, config: given, parts: isPure === true }, longTexts);
}

/** Sorts attachments by step, in their order, so that a request reads only those that take part. */
export function sortIntoChain(attachments: readonly Attachment[]): CompiledChain {
  return {
    identify: attachments.filter(({ policy }) => policy?.identify),
    admit: attachments.filter(({ policy }) => policy?.admit),
    charges: attachments.filter(({ policy }) => policy?.charges),
    request: attachments.filter(({ policy, guardrail }) => policy?.request ?? guardrail?.phases.includes("request")),
    recall: attachments.filter(({ policy }) => policy?.recall),
    response: attachments.filter(({ policy, guardrail }) => policy?.response ?? guardrail?.phases.includes("response")),
    record: attachments.filter(({ policy }) => policy?.record),
  };
}

/** Reports what makes sense only once the caller is known and the request is read, both of which `identify` precedes. */
function asksForOperation(spec: AttachmentSpec, fault: (issue: FieldIssue) => void): boolean {
  const given = [
    ...(spec.mode === "monitor" ? ["mode"] : []),
    ...(spec.on === undefined ? [] : ["on"]),
    ...(spec.when === undefined ? [] : ["when"]),
  ];
  for (const path of given) {
    fault({ path, message: `"${spec.use}" finds out who calls, before there is an operation: it holds always` });
  }
  return given.length > 0;
}

// Told at publish: a stream that comes up against it could only be refused.
function assertJudgesStreams(use: string, { phases, window }: CompiledGuardrail): void {
  if (!phases.includes("response") || (window !== undefined && window.overlap < window.size)) return;
  throw new GatewayError("publish.refused", `"${use}" looks at answers but has no window to judge streams through.`);
}

function compileApplies(spec: AttachmentSpec): Attachment["applies"] {
  const named = spec.on && globMatcher(spec.on);
  const holds = spec.when === undefined ? undefined : compileCondition(spec.when);
  if (named === undefined && holds === undefined) return () => true;
  return (exchange, operation) =>
    (named === undefined || named(operation.name) || named(operation.kind)) &&
    (holds === undefined || holds(exchange, operation));
}
