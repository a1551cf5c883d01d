import type { AttachmentSpec } from "../../../core/attachment.ts";
import { gateway } from "../../../core/gateway.ts";
import type { LlmApiSpec } from "../../../core/llm-api.ts";
import type { PassThroughFamily } from "../../../core/llm-pass-through.ts";
import type { ProtocolCompileInput } from "../../../pipeline/adapter.ts";
import type { CompiledProvider } from "../../../pipeline/define-provider.ts";

/** What an API knows of the endpoints that it opens. */
export interface PassThroughTables {
  readonly families: ReadonlySet<PassThroughFamily>;
  /** The model of a request has to be known: not all are offered, or a target asks for another in its place. */
  readonly needsModel: boolean;
  readonly uploadBytes: number;
}

/**
 * The tables, undefined where nothing is opened. Reports what would make of it a hole: a guardrail that cannot read such
 * bodies, batches (whose models stand in files that nobody reads) where not every model is offered, and targets of which
 * none has these endpoints.
 */
export function compilePassThrough(
  spec: LlmApiSpec,
  providers: Readonly<Record<string, readonly CompiledProvider[]>>,
  input: ProtocolCompileInput,
): PassThroughTables | undefined {
  const { passThrough: families, uploadBytes } = spec;
  if (families.length === 0) return undefined;
  for (const [environment, all] of Object.entries(providers)) {
    if (all.some(({ passThrough }) => passThrough !== undefined)) continue;
    const message = `no target of ${environment} has ${families.join(", ")} in OpenAI's form: only OpenAI-shaped providers have`;
    input.fault({ path: "spec.passThrough", message });
  }
  refuseGuardrails(spec, families, input);
  const needsModel = isSelective(spec);
  if (families.includes("batches") && needsModel) {
    const message =
      'batches name their models in files, which nobody reads here: open them where every model is offered as it is called (`models: [{ name: "*" }]`, no target with `model` or `models`)';
    input.fault({ path: "spec.passThrough", message });
  }
  return { families: new Set(families), needsModel, uploadBytes };
}

function isSelective({ models, upstream: { production, sandbox } }: LlmApiSpec): boolean {
  if (!models.some(({ name }) => name === "*")) return true;
  const blocks = "sameAs" in sandbox ? [production] : [production, sandbox];
  return blocks.some(({ targets }) =>
    targets.some(({ model, models: served }) => model !== undefined || !served.includes("*")),
  );
}

/** Kinds of operations that guardrails read. One that is only for these has nothing to do with what is opened here. */
const readKinds: ReadonlySet<string> = new Set(["chat", "embeddings", "count-tokens", "response"]);

function refuseGuardrails(
  { policies }: LlmApiSpec,
  families: readonly PassThroughFamily[],
  { supporting, registry, fault }: ProtocolCompileInput,
): void {
  // A batch runs chats that no guardrail sees, so one that is for chats only is passed by all the same.
  const seesAll = families.includes("batches");
  const isHeld = ({ use, on, mode }: AttachmentSpec): boolean =>
    registry.guardrails.has(use) &&
    mode === "enforce" &&
    (seesAll || on?.every((glob) => readKinds.has(glob)) !== true);
  const why = (use: string): string =>
    `"${use}" cannot read ${families.join(", ")}, which spec.passThrough opens; limit it by \`on\` to what it reads (chat, embeddings)${seesAll ? ", and do not open batches, which run chats unread" : ""}`;
  for (const [index, policy] of policies.entries())
    if (isHeld(policy)) fault({ path: `spec.policies[${index}].use`, message: why(policy.use) });
  const everywhere = supporting.find(({ kind, name }) => kind === "Gateway" && name === "default");
  for (const policy of everywhere === undefined ? [] : gateway.spec.parse(everywhere.spec).policies)
    if (isHeld(policy)) fault({ path: "spec.passThrough", message: `Gateway/default: ${why(policy.use)}` });
}
