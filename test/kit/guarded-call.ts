import type { GuardedCall } from "../../src/pipeline/define-guardrail.ts";

/** A call for a guardrail to judge, with a memory of its own. */
export function guardedCall(more: Partial<Omit<GuardedCall, "memory">> = {}): GuardedCall {
  let kept: { readonly value: unknown } | undefined;
  return {
    exchangeId: "0190c7a8-0000-7000-8000-000000000001",
    operation: { kind: "chat", name: "gpt-test" },
    signal: new AbortController().signal,
    ...more,
    memory<Kept>(make: () => Kept): Kept {
      kept ??= { value: make() };
      return kept.value as Kept; // one guardrail keeps one kind of thing
    },
  };
}
