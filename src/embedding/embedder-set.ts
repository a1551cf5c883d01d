import { canonicalJson } from "../kernel/canonical-json.ts";
import type { FieldIssue } from "../kernel/errors.ts";
import { GatewayError } from "../kernel/errors.ts";
import { didYouMean } from "../kernel/nearest-name.ts";
import type { CompiledEmbedder, EmbedderPlugin, EmbedderTools } from "./define-embedder.ts";
import type { EmbedderChoice } from "./embedder-choice.ts";
import type { VectorCache } from "./vector-cache.ts";

/** A choice as it is taken: of a configuration that was parsed, or of code. */
type Chosen = Readonly<Omit<EmbedderChoice, "with">> & { readonly with: Readonly<Record<string, unknown>> };

export interface EmbedderSetOptions {
  readonly plugins: readonly EmbedderPlugin[];
  /** The deployment's. */
  readonly own: Chosen;
  readonly tools: EmbedderTools;
  /** Disposed with the set. */
  readonly cache: VectorCache;
}

/** The embedders of a gateway. */
export interface EmbedderSet extends AsyncDisposable {
  /**
   * The deployment's embedder, or the one that is chosen, over the vector cache. The same choice is the same embedder,
   * with one breaker and one worker. Throws `config.invalid` with the fields at fault; loads nothing.
   */
  use(choice?: Chosen): CompiledEmbedder;
}

/** A set without any embedder yet. Throws `config.invalid` when the deployment's own cannot be used. */
export function createEmbedderSet({ plugins, own, tools, cache }: EmbedderSetOptions): EmbedderSet {
  const byId = new Map(plugins.map((plugin) => [plugin.id, plugin]));
  const made = new Map<string, { readonly bare: CompiledEmbedder; over?: CompiledEmbedder }>();
  const find = (choice: Chosen, path: string): { readonly bare: CompiledEmbedder; over?: CompiledEmbedder } => {
    const plugin = byId.get(choice.use);
    if (plugin === undefined) {
      const known = [...byId.keys()].join(", ");
      const message = `there is no embedder "${choice.use}"${didYouMean(choice.use, byId.keys())}; there are: ${known}`;
      throw refused([{ path: `${path}use`, message }]);
    }
    const config = plugin.config.safeParse(choice.with);
    if (!config.success) {
      throw refused(
        config.error.issues.map(({ path: at, message }) => ({
          path: `${path}with.${at.map(String).join(".")}`,
          message,
        })),
      );
    }
    const key = `${plugin.id} ${canonicalJson(choice.with)}`;
    const known = made.get(key) ?? { bare: plugin.compile(config.data, tools) };
    made.set(key, known);
    return known;
  };
  find(own, "embedding.");
  return {
    use(choice) {
      const entry = find(choice ?? own, choice === undefined ? "embedding." : "embedder.");
      entry.over ??= cache.over(entry.bare);
      return entry.over;
    },
    async [Symbol.asyncDispose]() {
      const results = await Promise.allSettled([...made.values()].map(async ({ bare }) => bare.dispose?.()));
      for (const result of results) {
        if (result.status === "fulfilled") continue;
        const reason: unknown = result.reason;
        tools.log.error({ err: reason }, "an embedder failed to dispose");
      }
      await cache[Symbol.asyncDispose]();
    },
  };
}

function refused(issues: readonly FieldIssue[]): GatewayError {
  const text = issues.map(({ path, message }) => `${path}: ${message}`).join("; ");
  return new GatewayError("config.invalid", `The embedder is not usable. ${text}`, { issues });
}
