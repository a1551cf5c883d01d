import type { CompiledProvider } from "./define-provider.ts";

/** One place that can serve an operation. */
export interface CompiledTarget {
  /** Unique within its upstream block and stable over republishing: `openai` or `openai/gpt-4o-mini`. */
  readonly id: string;
  /** The provider resource's name. */
  readonly providerName: string;
  readonly provider: CompiledProvider;
  readonly weight: number;
  /** The model to ask for in place of the client's; undefined leaves it. */
  readonly model: string | undefined;
  /** Whether the target serves the model that the client asked for. */
  serves(model: string): boolean;
}
