import { z } from "zod";
import { limitAttachmentsSchema } from "../core/attachment.ts";
import type { Suspension } from "../core/compliance-tables.ts";
import { gateway } from "../core/gateway.ts";
import type { KeylessReach } from "../core/keyless-reach.ts";
import { findKind } from "../core/kinds.ts";
import type { LabelSources } from "../core/limit-labels.ts";
import { plan } from "../core/plan.ts";
import type { ApiArtifact, ArtifactSet } from "../core/plane-message.ts";
import type { FieldIssue } from "../kernel/errors.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { Log } from "../kernel/log.ts";
import type { ProtocolAdapter } from "./adapter.ts";
import { commonSpecSchema } from "./common-spec.ts";
import { compileCapture } from "./compile-capture.ts";
import type { ChainCompiler } from "./compile-chain.ts";
import { compileAttachment, createChainCompiler, sortIntoChain } from "./compile-chain.ts";
import type { Deny } from "./outcome.ts";
import { deny } from "./outcome.ts";
import type { PluginTools } from "./plugin.ts";
import type { PluginRegistry } from "./registry.ts";
import type { Attachment, CompiledApi, CompiledChain, Snapshot } from "./snapshot.ts";

export interface CompileSnapshotOptions {
  readonly registry: PluginRegistry;
  readonly tools: PluginTools;
  /** From where APIs without keys are answered; at `nobody` they are refused. */
  readonly keylessReach: KeylessReach;
  /** Only to see whether it compiles: what is new may be held to more than what is served already. */
  readonly isTrial?: boolean;
}

type Fault = (issue: FieldIssue) => void;

/**
 * Everything that a request needs, made from the deployed artifacts once. Throws `publish.refused` with every fault
 * found (paths begin with `Kind/name:`); plug-ins that were compiled on the way are disposed.
 */
export function compileSnapshot(set: ArtifactSet, options: CompileSnapshotOptions): Snapshot {
  const issues: FieldIssue[] = [];
  const made: Compiled[] = [];
  const running: Compiled[] = [];
  const fault: Fault = (issue) => issues.push(issue);
  const chains = tracked(createChainCompiler(options.registry, options.tools, fault), made);

  const everywhere = gatewayAttachments(set, chains);
  const plans = compilePlans(set, chains, fault);
  const holders = compileHolders(set, chains, options.registry, fault);
  const served = set.apis.filter((api) => options.registry.adapters.has(api.kind));
  const apis = served.flatMap((artifact) => {
    const api = compileApi(artifact, { set, everywhere, chains, options, fault, made, running });
    return api === undefined ? [] : [api];
  });
  refuseSharedContexts(apis, fault);

  const lifetime = lifetimeOf(made, running, options.tools.log);
  if (issues.length > 0) {
    void lifetime.dispose();
    const first = issues[0];
    throw new GatewayError("publish.refused", `It does not compile: ${first?.path} ${first?.message}`, { issues });
  }
  const notServed = set.apis
    .filter((api) => !isServed(options.registry.adapters.get(api.kind)))
    .map((api) => ({ kind: api.kind, name: api.name, context: commonSpecSchema.parse(api.spec).context }));
  return { configHash: set.hash, apis, plans, holders, labels: labelSources(set), notServed, ...lifetime };
}

/** An API whose adapter has no routes is reached by others of the gateway only. */
function isServed(adapter: ProtocolAdapter | undefined): boolean {
  return adapter !== undefined && adapter.routes.length > 0;
}

interface Compiled {
  readonly place: string;
  dispose(): unknown;
}

/** The end of a snapshot in its two steps. What breaks in one place is logged and skips no other. */
function lifetimeOf(made: readonly Compiled[], running: Compiled[], log: Log): Pick<Snapshot, "retire" | "dispose"> {
  const failed = (place: string, error: unknown): void =>
    log.error({ err: error, place }, "a plug-in failed to dispose");
  const retire = (): void => {
    for (let last = running.pop(); last !== undefined; last = running.pop()) {
      try {
        last.dispose();
      } catch (error) {
        failed(last.place, error);
      }
    }
  };
  const dispose = async (): Promise<void> => {
    retire();
    for (const each of made.toReversed()) {
      try {
        await each.dispose();
      } catch (error) {
        failed(each.place, error);
      }
    }
  };
  return { retire, dispose };
}

interface ApiInput {
  readonly set: ArtifactSet;
  readonly everywhere: readonly Attachment[];
  readonly chains: ChainCompiler;
  readonly options: CompileSnapshotOptions;
  readonly fault: Fault;
  readonly made: Compiled[];
  /** What runs without requests; it ends before the rest. */
  readonly running: Compiled[];
}

function compileApi(artifact: ApiArtifact, input: ApiInput): CompiledApi | undefined {
  const at = `${artifact.kind}/${artifact.name}:`;
  const fault: Fault = (issue) => input.fault({ path: `${at} ${issue.path}`, message: issue.message });
  const adapter = input.options.registry.adapters.get(artifact.kind);
  const parsed = findKind(artifact.kind)?.spec.safeParse(artifact.spec);
  if (adapter === undefined || parsed === undefined) return undefined;
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      fault({ path: ["spec", ...issue.path].map(String).join("."), message: issue.message });
    }
    return undefined;
  }
  const spec = commonSpecSchema.parse(parsed.data);
  if (spec.security.keyless && input.options.keylessReach === "nobody") {
    const message = "an API that asks for no key is refused in production, unless network.allowKeyless is set";
    fault({ path: "spec.security.keyless", message });
  }
  const security = securityAttachments(artifact, spec, input, fault);
  const own = input.chains.attachments(spec.policies, artifact.id, `${at} spec.policies`, adapter);
  const chain = sortIntoChain([...security, ...input.everywhere, ...own]);
  if (chain.identify.length === 0 && !spec.security.keyless) {
    fault({
      path: "spec.security",
      message: "nobody could be identified: accept API keys or tokens, or say `keyless: true`",
    });
  }
  const protocol = adapter.compile({
    artifact: { ...artifact, spec: parsed.data },
    supporting: input.set.supporting,
    apis: input.set.apis,
    isTrial: input.options.isTrial === true,
    registry: input.options.registry,
    tools: input.options.tools,
    fault,
    onRetire: (place, stop) => input.running.push({ place, dispose: stop }),
    onDispose: (place, dispose) => input.made.push({ place, dispose }),
  });
  if (protocol === undefined) return undefined;
  return {
    id: artifact.id,
    name: artifact.name,
    kind: artifact.kind,
    teamId: artifact.teamId,
    revision: artifact.revision,
    context: spec.context,
    keyless: spec.security.keyless ? input.options.keylessReach : "nobody",
    oauth: spec.security.oauth === false ? undefined : spec.security.oauth,
    subscriptionRequired: spec.security.subscription === "required",
    suspended: artifact.suspension && suspended(artifact.suspension),
    chain,
    adapter,
    protocol,
    limits: spec.limits,
    capture: compileCapture(spec, input.set, input.options.tools, fault),
  };
}

function suspended({ policies, rules }: Suspension): Deny {
  const [policy = ""] = policies;
  const named = rules.slice(0, 3).join(", ") + (rules.length > 3 ? ", …" : "");
  const message = `This API is suspended: it breaks the governance policy ${policy} (${named}). Its owner has to mend it.`;
  return deny("api.suspended", message, { detail: `policies: ${policies.join(", ")}; rules: ${rules.join(", ")}` });
}

// Tokens come first: a bearer that has not the form of a key is a token wherever tokens are accepted.
function securityAttachments(
  artifact: ApiArtifact,
  { security: { apiKey, oauth } }: z.output<typeof commonSpecSchema>,
  input: ApiInput,
  fault: Fault,
): readonly Attachment[] {
  const { registry, tools } = input.options;
  const attach = (use: string, path: string, config: Readonly<Record<string, unknown>>): readonly Attachment[] => {
    const spec = { use, with: config, mode: "enforce" as const, onError: "deny" as const };
    const attachment = compileAttachment(spec, `${artifact.id}/security/${path}`, registry, tools, (issue) =>
      fault({ path: `spec.security.${path}.${issue.path}`, message: issue.message }),
    );
    return attachment === undefined ? [] : [attachment];
  };
  const keyHeader = apiKey === false ? {} : { keyHeader: apiKey.header };
  // Whose clients are let in is judged with the subscription, whichever policy knew the caller.
  const { shared: _, registeredClients: __, ...demand } = oauth === false ? {} : oauth;
  return [
    ...(oauth === false ? [] : attach("oauth", "oauth", { ...demand, ...keyHeader })),
    ...(apiKey === false ? [] : attach("api-key", "apiKey", { header: apiKey.header })),
  ];
}

function gatewayAttachments(set: ArtifactSet, chains: ChainCompiler): readonly Attachment[] {
  return set.supporting
    .filter(({ kind, name }) => kind === "Gateway" && name === "default")
    .flatMap(({ id, spec }) =>
      chains.attachments(gateway.spec.parse(spec).policies, id, "Gateway/default: spec.policies"),
    );
}

function compilePlans(set: ArtifactSet, chains: ChainCompiler, fault: Fault): ReadonlyMap<string, CompiledChain> {
  return new Map(
    set.supporting
      .filter(({ kind }) => kind === "Plan")
      .map(({ id, name, spec }) => {
        const { policies } = plan.spec.parse(spec);
        const chain = sortIntoChain(chains.attachments(policies, id, `Plan/${name}: spec.policies`));
        for (const { use } of chain.identify) {
          const message = `"${use}" finds out who calls, and a plan holds for callers who are known`;
          fault({ path: `Plan/${name}: spec.policies`, message });
        }
        return [id, chain];
      }),
  );
}

/** Limits of teams and applications. Whatever is more than a limit is a fault: callers cannot be told apart by it. */
function compileHolders(
  set: ArtifactSet,
  chains: ChainCompiler,
  registry: PluginRegistry,
  fault: Fault,
): ReadonlyMap<string, CompiledChain> {
  const holders = new Map<string, CompiledChain>();
  for (const { kind, id, name, spec } of set.supporting) {
    if (kind !== "Team" && kind !== "Application") continue;
    const { policies = [] } = holderSchema.parse(spec);
    const at = `${kind}/${name}: spec.policies`;
    policies.forEach(({ use }, index) => {
      const isKnown = registry.policies.has(use) || registry.guardrails.has(use); // else told by the compiler below
      if (!isKnown || registry.policies.get(use)?.isLimit === true) return;
      const limits = [...registry.policies.values()].filter(({ isLimit }) => isLimit).map((policy) => policy.id);
      fault({ path: `${at}[${index}].use`, message: `"${use}" is no limit; here may stand: ${limits.join(", ")}` });
    });
    // A team's limit is the team's unless it says whose: by application it would be one for each.
    const own = kind === "Team" ? policies.map((each) => ({ ...each, with: { per: "team", ...each.with } })) : policies;
    if (own.length > 0) holders.set(id, sortIntoChain(chains.attachments(own, id, at)));
  }
  return holders;
}

const holderSchema = z.looseObject({ policies: limitAttachmentsSchema });

/** What becomes a label at the gateway; undefined where nothing does, so that no exchange looks for any. */
function labelSources(set: ArtifactSet): LabelSources | undefined {
  const own = set.supporting.find(({ kind, name }) => kind === "Gateway" && name === "default");
  const labels = own && gateway.spec.parse(own.spec).labels;
  if (labels === undefined) return undefined;
  return Object.keys(labels.fromClaims).length + Object.keys(labels.fromHeaders).length === 0 ? undefined : labels;
}

function refuseSharedContexts(apis: readonly CompiledApi[], fault: Fault): void {
  const seen = new Map<string, CompiledApi>();
  for (const api of apis) {
    const other = seen.get(api.context);
    if (other === undefined) seen.set(api.context, api);
    else {
      fault({
        path: `${api.kind}/${api.name}: spec.context`,
        message: `${api.context} belongs to ${other.kind}/${other.name} already`,
      });
    }
  }
}

/** Remembers what was compiled, so that it can be disposed with the snapshot. */
function tracked(chains: ChainCompiler, made: Compiled[]): ChainCompiler {
  return {
    attachments(list, place, path, adapter) {
      const attachments = chains.attachments(list, place, path, adapter);
      for (const { policy, guardrail, place: at } of attachments) {
        const dispose = policy?.dispose?.bind(policy) ?? guardrail?.dispose?.bind(guardrail);
        if (dispose !== undefined) made.push({ place: at, dispose });
      }
      return attachments;
    },
  };
}
