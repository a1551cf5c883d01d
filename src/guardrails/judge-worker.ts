import { parentPort } from "node:worker_threads";
import { LRUCache } from "lru-cache";
import type { CompiledGuardrail } from "../pipeline/define-guardrail.ts";
import type { LongTextQuestion } from "../pipeline/long-texts.ts";
import type { PluginTools } from "../pipeline/plugin.ts";
import { guardrails } from "./index.ts";

/** A question to the thread: for the verdict, or for what the guardrail's search finds. */
export interface JudgeQuestion extends LongTextQuestion {
  readonly asks: "verdict" | "search";
}

/** What the thread says to each question, in their order. */
export type JudgeMessage =
  | { readonly type: "answer"; readonly answer: unknown }
  | { readonly type: "error"; readonly reason: string };

const compiled = new LRUCache<string, CompiledGuardrail>({ max: 100 });

if (parentPort !== null) {
  const port = parentPort;
  // Of the pool's making alone.
  port.on("message", (question: JudgeQuestion) => {
    answer(question).then(
      (given) => port.postMessage({ type: "answer", answer: given } satisfies JudgeMessage),
      (error: unknown) => port.postMessage({ type: "error", reason: reasonOf(error) } satisfies JudgeMessage),
    );
  });
}

async function answer({ asks, use, config, spans, phase, operation }: JudgeQuestion): Promise<unknown> {
  const guardrail = compiledOf(use, config);
  if (asks === "search" && guardrail.search !== undefined) return guardrail.search.find(spans, phase);
  return guardrail.inspect(spans, phase, {
    exchangeId: "",
    operation,
    signal: new AbortController().signal,
    memory: () => {
      throw new TypeError(`"${use}" says that it is pure, and wants a memory`);
    },
  });
}

function compiledOf(use: string, config: unknown): CompiledGuardrail {
  const key = `${use}\n${JSON.stringify(config)}`;
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const plugin = guardrails.find(({ id }) => id === use);
  const made = plugin?.compile(plugin.config.parse(config), noTools);
  if (made === undefined || (plugin?.isPure === undefined && made.search === undefined)) {
    throw new TypeError(`"${use}" is no guardrail that could be judged by elsewhere`);
  }
  compiled.set(key, made);
  return made;
}

/** A pure guardrail asks for none of them. */
const noTools = new Proxy({} as PluginTools, {
  get(_tools, name) {
    throw new TypeError(`a guardrail that says that it is pure wants ${String(name)}`);
  },
});

function reasonOf(error: unknown): string {
  return (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, 1_000);
}
